import Checkpoints
import Failures

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// Reads `metrics.jsonl`.
struct MetricsReader {
  private(set) var steps: [RecordedRun.Step] = []
  private(set) var tests: [RecordedRun.Test] = []
  private(set) var validations: [RecordedRun.Test] = []
  private(set) var ranks: [RecordedRun.Ranks] = []
  /// What is not as it should be, and is left out.
  private(set) var remark: String?

  /// A job that was killed, or still runs, may have left its last line without an end, which is left out. Any other line
  /// that is no record is an error.
  ///
  /// - Throws: `.badData` with the line's number; `.noInput`, `.noPermission` or `.inputOutput`.
  static func read(_ path: String) throws(Failure) -> MetricsReader {
    var reader = MetricsReader()
    var number = 0
    try forEachLine(of: path) { (line, isWhole) throws(Failure) in
      number += 1
      guard isWhole else {
        reader.remark = "The last line of metrics.jsonl has no end, and is left out."
        return
      }
      do throws(JSONProblem) {
        try reader.take(line)
      } catch {
        let place = error.offset.map { ", byte \($0)" } ?? ""
        throw Failure(
          .badData, "\(path): line \(number)\(place): \(error.reason)",
          remedy: "take the file from a copy, or remove this line and those behind it")
      }
    }
    return reader
  }

  private mutating func take(_ line: [UInt8]) throws(JSONProblem) {
    var kind = ""
    var numbers: [String: Double] = [:]
    var texts: [String: String] = [:]
    var lists: [String: [Double]] = [:]
    var hosts: [String] = []
    var scanner = JSONScanner(line)
    try scanner.object { (name, scanner) throws(JSONProblem) in
      switch name {
      case "kind": kind = try scanner.string()
      case "dataset", "ranks": texts[name] = try scanner.string()
      case "hosts":
        try scanner.array { (scanner) throws(JSONProblem) in hosts.append(try scanner.string()) }
      case "step_seconds", "computation_seconds", "exchange_seconds":
        var values: [Double] = []
        try scanner.array { (scanner) throws(JSONProblem) in values.append(try scanner.number()) }
        lists[name] = values
      case "step", "epoch", "steps", "steps_per_epoch", "threads", "test_errors", "test_samples", "validation_errors",
        "validation_samples":
        numbers[name] = Double(try scanner.unsignedInteger())
      case "loss", "accuracy", "learning_rate", "images_per_second", "seconds", "test_loss", "test_accuracy",
        "validation_loss", "validation_accuracy":
        numbers[name] = try scanner.number()
      // A later program may write more.
      default: try scanner.skipValue()
      }
    }
    try scanner.end()
    func integer(_ name: String) throws(JSONProblem) -> Int {
      guard let value = numbers[name], let integer = Int(exactly: value) else {
        throw JSONProblem(reason: "the record has no \(name)", offset: nil)
      }
      return integer
    }
    let (step, epoch) = (try integer("step"), try integer("epoch"))
    func number(_ name: String) -> Double { numbers[name] ?? .nan }
    switch kind {
    case "step":
      guard step > steps.last?.step ?? 0 else {
        throw JSONProblem(reason: "step \(step) comes after step \(steps.last?.step ?? 0)", offset: nil)
      }
      steps.append(
        RecordedRun.Step(
          step: step, epoch: epoch, loss: number("loss"), accuracy: number("accuracy"),
          learningRate: number("learning_rate"), imagesPerSecond: number("images_per_second"),
          seconds: number("seconds")))
    case "test", "validation":
      let (errors, samples) = (try integer(kind + "_errors"), try integer(kind + "_samples"))
      guard samples > 0, errors <= samples else {
        throw JSONProblem(reason: "there are \(errors) errors of \(samples) samples", offset: nil)
      }
      let result = RecordedRun.Test(
        step: step, epoch: epoch, dataset: texts["dataset"] ?? "", loss: number(kind + "_loss"),
        accuracy: Double(samples - errors) / Double(samples), errors: errors, samples: samples)
      if kind == "test" { tests.append(result) } else { validations.append(result) }
    case "ranks":
      let lists = ["step_seconds", "computation_seconds", "exchange_seconds"].map { lists[$0] ?? [] }
      guard !hosts.isEmpty, lists.allSatisfy({ $0.count == hosts.count }) else {
        throw JSONProblem(reason: "the lists of a record of ranks differ in length", offset: nil)
      }
      ranks.append(
        RecordedRun.Ranks(
          step: step, epoch: epoch, steps: try integer("steps"),
          stepsPerEpoch: max(1, try integer("steps_per_epoch")), ranks: texts["ranks"] ?? "",
          threads: try integer("threads"), hosts: hosts, stepSeconds: lists[0], computationSeconds: lists[1],
          exchangeSeconds: lists[2]))
    default: break
    }
  }

  private static func forEachLine(
    of path: String, _ body: (_ line: [UInt8], _ isWhole: Bool) throws(Failure) -> Void
  ) throws(Failure) {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else {
      let code: ExitCode = errno == EACCES ? .noPermission : errno == ENOENT ? .noInput : .inputOutput
      throw Failure(code, "\(path): \(String(cString: strerror(errno)))", remedy: "check the file and its rights")
    }
    defer { close(descriptor) }
    var line: [UInt8] = []
    var block = [UInt8](repeating: 0, count: 1 << 16)
    while true {
      let count = block.withUnsafeMutableBytes { Glibc.read(descriptor, $0.baseAddress, $0.count) }
      if count < 0 && errno == EINTR { continue }
      guard count >= 0 else {
        throw Failure(
          .inputOutput, "\(path): cannot be read: \(String(cString: strerror(errno)))", remedy: "check the file system")
      }
      guard count > 0 else { break }
      for byte in block[..<count] {
        guard byte == UInt8(ascii: "\n") else {
          line.append(byte)
          continue
        }
        try body(line, true)
        line.removeAll(keepingCapacity: true)
      }
    }
    if !line.isEmpty { try body(line, false) }
  }
}
