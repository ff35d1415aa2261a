import Foundation
import Testing

/// One run of the built program, alone or as the ranks of a job, as a person would start it.
struct Execution {
  let status: Int32
  /// Whether it ended itself, and was not ended by a signal.
  let hasExited: Bool
  let output: String
  let errors: String

  /// The lines of standard error that are the program's, without mpirun's.
  var ownErrors: [Substring] { errors.split(separator: "\n").filter { $0.hasPrefix("dtrain: ") } }

  /// The line of standard output that begins so.
  func line(_ start: String) -> Substring? { output.split(separator: "\n").first { $0.hasPrefix(start) } }

  /// Neither hangs nor tells of a crash.
  func expectOrderlyEnd(_ status: Int32, _ location: SourceLocation = #_sourceLocation) {
    #expect(hasExited && self.status == status, "\(output)\(errors)", sourceLocation: location)
    #expect(!errors.contains("Fatal error") && !errors.contains("Crash"), sourceLocation: location)
  }
}

/// Starts the program that was built with the tests.
struct Launch {
  /// Ranks under mpirun; nil for a process of its own.
  var ranks: Int?
  /// Arguments of one rank each, in place of `ranks` times the same.
  var ranksApart: [[String]] = []
  var environment: [String: String] = [:]
  /// A program that runs the program, and its arguments.
  var through: [String] = []
  /// What is started in the program's place, with its first arguments.
  var instead: [String] = []
  var folder: URL = FileManager.default.temporaryDirectory
  /// What is in `through` is the whole command.
  var isWhole = false
  /// After which the run is ended and counts as hung.
  var limitSeconds = 120

  static let isMPIPossible = find("mpirun") != nil

  static func run(
    _ arguments: String..., ranks: Int? = nil, environment: [String: String] = [:], folder: URL? = nil
  ) throws -> Execution {
    var launch = Launch(ranks: ranks, environment: environment)
    if let folder { launch.folder = folder }
    return try launch.run(arguments)
  }

  func run(_ arguments: [String]) throws -> Execution {
    let files = try TemporaryFolder()
    let (output, errors) = (files.url.appending(path: "output"), files.url.appending(path: "errors"))
    // Files, not pipes: a rank that outlives its job would keep a pipe open.
    for file in [output, errors] { _ = FileManager.default.createFile(atPath: file.path, contents: nil) }
    let process = try start(
      arguments, output: try FileHandle(forWritingTo: output), errors: try FileHandle(forWritingTo: errors))
    process.waitUntilExit()
    return Execution(
      status: process.terminationStatus, hasExited: process.terminationReason == .exit,
      output: try String(contentsOf: output, encoding: .utf8), errors: try String(contentsOf: errors, encoding: .utf8))
  }

  func start(_ arguments: [String], output: Any, errors: Any) throws -> Process {
    let process = Process()
    let program = try Self.program()
    var words = ["--kill-after=5", "\(limitSeconds)"]
    if !ranksApart.isEmpty {
      words += ["mpirun"] + Array(ranksApart.map { ["-n", "1", program] + $0 }.joined(separator: [":"]))
    } else {
      words += ranks.map { ["mpirun", "-n", "\($0)"] } ?? []
      words += through + (isWhole ? [] : (instead.isEmpty ? [program] : instead) + arguments)
    }
    process.executableURL = Self.find("timeout")
    process.arguments = words
    process.currentDirectoryURL = folder
    process.environment = ProcessInfo.processInfo.environment.merging([
      "OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1", "OMPI_MCA_rmaps_base_oversubscribe": "1",
      "OMPI_MCA_hwloc_base_binding_policy": "none",
    ]) { $1 }.merging(environment) { $1 }
    process.standardOutput = output
    process.standardError = errors
    process.standardInput = FileHandle.nullDevice
    // The test's own thread may block signals, and what it starts would as well.
    var (none, before) = (sigset_t(), sigset_t())
    sigemptyset(&none)
    pthread_sigmask(SIG_SETMASK, &none, &before)
    defer { pthread_sigmask(SIG_SETMASK, &before, nil) }
    try process.runWithoutBlockedSignals()
    return process
  }

  static func program() throws -> String {
    if let named = ProcessInfo.processInfo.environment["DTRAIN_EXECUTABLE"] { return named }
    let built = try #require(Bundle.main.executableURL).deletingLastPathComponent().appending(path: "dtrain")
    return built.path
  }

  static func find(_ name: String) -> URL? {
    (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":")
      .map { URL(fileURLWithPath: String($0)).appending(path: name) }
      .first { FileManager.default.isExecutableFile(atPath: $0.path) }
  }
}

/// A folder that goes when the test is over.
final class TemporaryFolder {
  let url: URL

  init() throws {
    url = FileManager.default.temporaryDirectory.appending(path: "dtrain-test-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
  }

  func path(_ name: String) -> String { url.appending(path: name).path }

  deinit { try? FileManager.default.removeItem(at: url) }
}

/// What makes a run short: a small network, few drawn digits, and a batch that microbatches do not divide.
enum ShortRun {
  static let settings = [
    "dataset.name=synthetic-digits", "dataset.training_samples=80", "dataset.test_samples=60", "training.batch=33",
    "training.microbatch=4", "evaluation.microbatch=7", "model.filters=[8, 8]", "model.filter_sizes=[3, 3]",
    "model.paddings=[1, 1]", "model.strides=[1, 1]",
  ]
}

/// Where the tests find MNIST, if anywhere.
enum MNIST {
  static let folder: String? = {
    let package = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent()
    let places =
      [ProcessInfo.processInfo.environment["DTRAIN_DATA"], package.path + "/data", package.path + "/../shared/data"]
      .compactMap { $0 }
    return places.flatMap { [$0, $0 + "/mnist"] }.first { place in
      FileManager.default.fileExists(atPath: place + "/t10k-images-idx3-ubyte.gz")
    }
  }()
}

extension Process {
  /// `run`, from a thread that may block signals: a child inherits that, and SIGTERM would not reach it, nor tmux its own
  /// that ends it.
  func runWithoutBlockedSignals() throws {
    var none = sigset_t()
    var before = sigset_t()
    sigemptyset(&none)
    pthread_sigmask(SIG_SETMASK, &none, &before)
    defer { pthread_sigmask(SIG_SETMASK, &before, nil) }
    try run()
  }
}

/// All that starts processes, one after another: there may be few cores.
@Suite(.serialized) struct EndToEnd {}
