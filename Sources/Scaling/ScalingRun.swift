import Checkpoints
import Communication
import Failures
import Reporting
import Supervision

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// Starts the jobs of a plan, one after another, and writes what they come to.
public struct ScalingRun {
  private let plan: ScalingPlan
  private let errors = TextOutput(descriptor: STDERR_FILENO, name: "standard error")

  public init(_ plan: ScalingPlan) { self.plan = plan }

  private var figures: String { "\(plan.folder)/bench.json" }
  private var files: [String] { ["\(plan.folder)/scale.csv", "\(plan.folder)/scale.json"] }

  /// - Returns: the report, which is in the plan's folder then, in files and pictures.
  /// - Throws: `.configuration` where ranks would be without work; `.cannotCreate` and the like where the folder cannot
  ///   be written, before anything is measured; `.unavailable` without mpirun; what a job failed with.
  public func run() throws(Failure) -> ScalingReport {
    try plan.validate()
    for path in files + [figures] { try AtomicFile.probe(for: path) }
    var report = ScalingReport()
    report.kind = plan.kind
    report.program = "\(plan.program) \(plan.version)"
    report.cores = PhysicalCores.count
    report.microbatch = plan.settings.training.microbatch
    report.rounds = plan.rounds
    report.secondsPerRound = plan.secondsPerRound
    report.accuracy = plan.accuracy
    report.rows = plan.ranks.sorted().map { ScalingRow(ranks: $0, batch: plan.batch(ranks: $0)) }
    for round in 1...plan.rounds {
      for index in report.rows.indices { try measure(&report, index, round: round) }
    }
    if let accuracy = plan.accuracy { try train(&report, to: accuracy) }
    try write(report)
    return report
  }

  private func measure(_ report: inout ScalingReport, _ index: Int, round: Int) throws(Failure) {
    let ranks = report.rows[index].ranks
    try start(
      "bench",
      ["--only", "training", "--rounds", "1", "--seconds", "\(plan.secondsPerRound)", "--json", figures], ranks: ranks)
    let bench = try BenchFigures.read(figures)
    unlink(figures)
    report.rows[index].add(bench)
    report.processor = bench.processor
    report.hosts = max(report.hosts, bench.hosts.count)
    report.threadsPerRank = max(1, bench.threads / ranks)
    report.dataset = bench.dataset
    report.trainingSamples = bench.trainingSamples
    say(
      "round \(round) of \(plan.rounds), \(ScalingReport.ranks(ranks)): "
        + "\(ScalingReport.fixed(bench.imagesPerSecond, 0)) images/s")
  }

  // MARK: - Accuracy

  /// Of strong scaling one run tells the epochs of all; it is the number of ranks that was the fastest.
  private func train(_ report: inout ScalingReport, to accuracy: Double) throws(Failure) {
    switch plan.kind {
    case .weak:
      for index in report.rows.indices { try train(&report.rows[index], to: accuracy) }
    case .strong:
      let fastest = report.rows.indices.max {
        report.rows[$0].imagesPerSecond.median < report.rows[$1].imagesPerSecond.median
      }
      guard let fastest else { return }
      try train(&report.rows[fastest], to: accuracy)
      for index in report.rows.indices { report.rows[index].epochs = report.rows[fastest].epochs }
    }
  }

  private func train(_ row: inout ScalingRow, to accuracy: Double) throws(Failure) {
    let folder = "\(plan.folder)/training-on-\(row.ranks)"
    var tests = TestRecords(path: "\(folder)/metrics.jsonl")
    var reached: TestRecords.Record?
    var isAsked = false
    var looks = 0
    // What an earlier measurement has left is another run's.
    unlink(tests.path)
    try start(
      "train", ["--run-dir", folder, "--progress", "none", "--quiet"], ranks: row.ranks,
      goodCodes: [ExitCode.success.rawValue, ExitCode.preempted.rawValue]
    ) {
      // The file is read about once a second: the ranks need the cores.
      looks += 1
      guard looks % 10 == 0 else { return nil }
      reached = reached ?? tests.next().first { $0.accuracy >= accuracy }
      guard reached != nil, !isAsked else { return nil }
      isAsked = true
      return SIGUSR1
    }
    reached = reached ?? tests.next().first { $0.accuracy >= accuracy }
    row.epochs = reached?.epoch
    row.measuredSeconds = reached?.seconds
    say(
      "training on \(ScalingReport.ranks(row.ranks)): "
        + (reached.map {
          "\(ScalingReport.fixed($0.accuracy * 100, 2)) % after epoch \($0.epoch), \(ScalingReport.fixed($0.seconds, 1)) s"
        } ?? "\(ScalingReport.fixed(accuracy * 100, 2)) % was not reached"))
  }

  // MARK: - Jobs and files

  private func start(
    _ command: String, _ arguments: [String], ranks: Int, goodCodes: Set<Int32> = [ExitCode.success.rawValue],
    signal: () -> Int32? = { nil }
  ) throws(Failure) {
    let job = try MPIJob.run(
      ranks: ranks, options: plan.mpirunOptions,
      command: [plan.path, command] + arguments + plan.arguments(ranks: ranks), program: plan.program, signal: signal)
    guard !goodCodes.contains(job.code) else { return }
    throw Failure(
      ExitCode(rawValue: job.code) ?? .failure,
      "mpirun -n \(ranks) \(plan.program) \(command) ended with code \(job.code)"
        + (job.reason.map { ": \($0)" } ?? ""),
      remedy: "start that command by itself to see more; nothing was written")
  }

  private func write(_ report: ScalingReport) throws(Failure) {
    try AtomicFile.write(report.csv, to: files[0])
    try AtomicFile.write(report.json.encoded + "\n", to: files[1])
    for picture in report.pictures { try AtomicFile.write(picture.text, to: "\(plan.folder)/\(picture.name)") }
  }

  private func say(_ text: String) { errors.writeLine("\(plan.program): scale: \(text)") }
}
