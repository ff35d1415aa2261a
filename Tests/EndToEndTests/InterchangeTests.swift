import Foundation
import Testing

extension EndToEnd {
  /// Weights to and from the programs that read and write the formats, and what these programs compute with them.
  @Suite(.enabled(if: Exchange.isPossible, "launch/python-tools.sh has not been run"))
  struct InterchangeTests {
    private let folder: TemporaryFolder
    private let digest: Substring

    /// DeepConvNet with weights that a few steps have changed.
    init() throws {
      folder = try TemporaryFolder()
      let run = try Launch(folder: folder.url).run([
        "train", "--quiet", "--max-steps", "3", "--run-dir", "run", "dataset.name=synthetic-digits",
        "dataset.training_samples=300", "dataset.test_samples=20",
      ])
      run.expectOrderlyEnd(0)
      digest = try #require(run.line("weights digest ")).dropFirst("weights digest ".count).prefix { $0 != " " }
    }

    private func dtrain(_ arguments: String...) throws -> Execution {
      let execution = try Launch(folder: folder.url).run(arguments)
      execution.expectOrderlyEnd(0)
      return execution
    }

    private func python(_ arguments: String...) throws -> [Substring] {
      let execution = try Exchange.run(arguments, in: folder.url)
      #expect(execution.status == 0, "\(execution.output)\(execution.errors)")
      return execution.output.split(separator: "\n")
    }

    @Test func pythonReadsWhatIsWritten() throws {
      for file in ["w.npz", "w.pkl", "w.safetensors"] { _ = try dtrain("convert", "run/weights.safetensors", file) }
      #expect(try python("read", "w.npz", "w.pkl", "w.safetensors") == [digest, digest, digest])
    }

    @Test func whatPythonWritesIsRead() throws {
      _ = try dtrain("convert", "run/weights.safetensors", "w.npz")
      _ = try python("write", "w.npz", ".")
      let files = try FileManager.default.contentsOfDirectory(atPath: folder.url.path).filter {
        $0.contains("-") || ["stored.npz", "deflated.npz", "library.safetensors"].contains($0)
      }
      #expect(files.count == 21)
      for file in files {
        #expect(try dtrain("inspect", file).line("weights digest") == "weights digest \(digest)", "\(file)")
      }
    }

    /// All of MNIST's test images where it is found, else drawn noise.
    private func images() throws -> String {
      if let folder = MNIST.folder { return folder }
      _ = try python("images", "images")
      return "images"
    }

    @Test func onnxRuntimeComputesTheSame() throws {
      let images = try images()
      _ = try dtrain("convert", "run/weights.safetensors", "model.onnx")
      _ = try dtrain(
        "evaluate", "--weights", "run/weights.safetensors", "--predictions", "p.csv", "dataset.name=mnist", "--data",
        images)
      #expect(try python("onnx", "model.onnx", images, "p.csv").count == 1)
    }

    @Test(.enabled(if: Exchange.hasTorch, "launch/python-tools.sh --torch has not been run"))
    func anEqualModuleOfPyTorchComputesTheSame() throws {
      let images = try images()
      _ = try dtrain("convert", "run/weights.safetensors", "torch.safetensors", "--names", "pytorch")
      _ = try dtrain(
        "evaluate", "--weights", "torch.safetensors", "--predictions", "p.csv", "dataset.name=mnist", "--data", images)
      #expect(try python("torch", "torch.safetensors", images, "p.csv").count == 1)
    }
  }

  @Suite struct ConversionTests {
    @Test func nothingIsOverwrittenUnasked() throws {
      let folder = try TemporaryFolder()
      let file = folder.path("out.npz")
      try Data("mine".utf8).write(to: URL(fileURLWithPath: file))
      for (arguments, code) in [
        (["convert", "in.npz", file], Int32(73)), (["convert", "in.npz", file, "--force"], 66),
        (["convert", "in.npz", folder.path("x.tar")], 64), (["convert", "in.npz"], 64),
      ] {
        let execution = try Launch(folder: folder.url).run(arguments)
        execution.expectOrderlyEnd(code)
        #expect(execution.ownErrors.count == 1)
      }
      #expect(try String(contentsOfFile: file, encoding: .utf8) == "mine")
    }
  }
}

/// The Python programs that the weights are exchanged with.
enum Exchange {
  private static let package = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent()
  private static let interpreter = package.appending(path: ".build/interchange/bin/python")
  private static let script = package.appending(path: "Tests/Interchange/exchange.py")

  static let isPossible = FileManager.default.isExecutableFile(atPath: interpreter.path)
  static let hasTorch =
    isPossible && (try? start(["-c", "import torch"], in: FileManager.default.temporaryDirectory).status) == 0

  static func run(_ arguments: [String], in folder: URL) throws -> (status: Int32, output: String, errors: String) {
    try start(["-B", script.path] + arguments, in: folder)
  }

  private static func start(
    _ arguments: [String], in folder: URL
  ) throws -> (status: Int32, output: String, errors: String) {
    let files = try TemporaryFolder()
    let (output, errors) = (files.url.appending(path: "output"), files.url.appending(path: "errors"))
    for file in [output, errors] { _ = FileManager.default.createFile(atPath: file.path, contents: nil) }
    let process = Process()
    process.executableURL = interpreter
    process.arguments = arguments
    process.currentDirectoryURL = folder
    process.standardOutput = try FileHandle(forWritingTo: output)
    process.standardError = try FileHandle(forWritingTo: errors)
    try process.run()
    process.waitUntilExit()
    return (
      process.terminationStatus, try String(contentsOf: output, encoding: .utf8),
      try String(contentsOf: errors, encoding: .utf8)
    )
  }
}
