import Foundation
import Testing

/// The reduction as real MPI ranks run it, by a small program that does nothing else.
///
/// One at a time: each test starts more processes than there may be cores.
@Suite(.serialized, .enabled(if: Job.isPossible, "mpirun is not installed"))
struct UnderMPIRunTests {
  @Test(arguments: 1...5)
  func theBitsAreThoseOfOneProcess(ranks: Int) throws {
    // 7, 3 and 1 leaves are the short last batches, where some ranks have none.
    let arguments = ["--leaves", "20,7,3,1,24", "--count", "1000"]
    let alone = try Job.run(arguments)
    #expect(alone.status == 0)
    #expect(alone.output.split(separator: "\n").count == 5)
    let job = try Job.run(arguments, ranks: ranks)
    #expect(job.status == 0, "\(job.errors)")
    #expect(job.output == alone.output)
    #expect(try Job.run(arguments + ["--workers", "3"], ranks: ranks).output == alone.output)
    #expect(try Job.run(arguments + ["--replicas", "\(ranks)"]).output == alone.output)
  }

  @Test func moreRanksThanSlicesHaveTheBitsOfOneProcess() throws {
    let arguments = ["--leaves", "5,9", "--count", "3"]
    #expect(try Job.run(arguments, ranks: 5).output == Job.run(arguments).output)
  }

  @Test func aRankThatThrowsEndsTheJobWithItsCodeAndLine() throws {
    let job = try Job.run(["--leaves", "20,7", "--fault", "failing:1"], ranks: 3)
    #expect(job.status == 65)
    #expect(job.errors.contains("rank 1: leaf 2 cannot be computed; ask for another fault"))
  }

  @Test func aStoppedRankIsNamedByTheOthersAndTheJobEnds() throws {
    let job = try Job.run(["--leaves", "20,7", "--fault", "stopped:1", "--timeout", "5"], ranks: 3)
    #expect(job.status == 1)
    #expect(job.errors.contains("waited 5 s for rank 1 in gradient exchange, step 1"))
    #expect(job.errors.contains("communication.timeout_seconds"))
  }

  @Test func aRankThatExitsQuietlyEndsTheJob() throws {
    let job = try Job.run(["--leaves", "20,7", "--fault", "exiting:1"], ranks: 3)
    #expect(job.status != 0 && job.status != 124)
  }

  @Test func aRankThatLeavesTooEarlyEndsTheJob() throws {
    let job = try Job.run(["--leaves", "20,7", "--fault", "leaving:2", "--timeout", "5"], ranks: 3)
    #expect([1, 70].contains(job.status))
  }

  @Test func aRankThatAbortsTakesTheOthersWithIt() throws {
    #expect(try Job.run(["--leaves", "20,7", "--fault", "aborting:2"], ranks: 3).status == 75)
    #expect(try Job.run(["--leaves", "20,7", "--fault", "aborting:2", "--replicas", "3"]).status == 75)
    #expect(try Job.run(["--leaves", "20,7", "--fault", "aborting:0"]).status == 75)
  }

  @Test func aRankWithAnotherSettingIsNamed() throws {
    let job = try Job.run(["--fault", "differing:2"], ranks: 3)
    #expect(job.status == 78)
    #expect(job.errors.contains("has another setting than rank 0"))
    #expect(job.errors.contains("rank 2 ("))
  }

  @Test func messagesOfAnotherSizeAreNoticed() throws {
    let job = try Job.run(["--leaves", "20,7", "--fault", "short:1"], ranks: 2)
    #expect(job.status == 70)
    #expect(job.errors.contains("bytes from rank"))
  }

  @Test func anotherLibrarysLauncherIsNoticed() throws {
    let job = try Job.run([], environment: ["PMI_RANK": "0", "PMI_SIZE": "4"])
    #expect(job.status == 69)
    #expect(job.errors.contains("has started 4 processes"))
    #expect(job.errors.contains("sees 1"))
  }
}

/// One run of the probe, which ends after a minute in any case.
struct Job {
  let status: Int32
  let output: String
  let errors: String

  static let isPossible = executable("mpirun") != nil

  static func run(_ arguments: [String], ranks: Int? = nil, environment: [String: String] = [:]) throws -> Job {
    let process = Process()
    let probe = try #require(Bundle.main.executableURL).deletingLastPathComponent().appending(path: "AllReduceProbe")
    try #require(FileManager.default.isExecutableFile(atPath: probe.path), "no program at \(probe.path)")
    process.executableURL = executable("timeout")
    process.arguments = ["60"] + (ranks.map { ["mpirun", "-n", "\($0)"] } ?? []) + [probe.path] + arguments
    process.environment = ProcessInfo.processInfo.environment.merging([
      "OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1", "OMPI_MCA_rmaps_base_oversubscribe": "1",
    ]) { $1 }.merging(environment) { $1 }
    let folder = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    // Files, not pipes: a rank that outlives its job would keep a pipe open.
    let files = ["output", "errors"].map { folder.appending(path: $0) }
    for file in files { _ = FileManager.default.createFile(atPath: file.path, contents: nil) }
    process.standardOutput = try FileHandle(forWritingTo: files[0])
    process.standardError = try FileHandle(forWritingTo: files[1])
    process.standardInput = FileHandle.nullDevice
    try process.run()
    process.waitUntilExit()
    let texts = try files.map { try String(contentsOf: $0, encoding: .utf8) }
    return Job(status: process.terminationStatus, output: texts[0], errors: texts[1])
  }

  private static func executable(_ name: String) -> URL? {
    (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":")
      .map { URL(fileURLWithPath: String($0)).appending(path: name) }
      .first { FileManager.default.isExecutableFile(atPath: $0.path) }
  }
}
