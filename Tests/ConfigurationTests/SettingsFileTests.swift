import Configuration
import Failures
import Foundation
import Testing

/// What the loader says of a text that it takes for `x.yaml`.
func failure(in text: String) -> Failure? {
  #expect(throws: Failure.self) { try SettingsLoader.load(text: text, named: "x.yaml") }
}

@Suite struct SettingsFileTests {
  @Test func everyKeyIsRead() throws {
    let settings = try SettingsLoader.load(
      text: """
        seed: 9223372036854775807
        model:
          name: deepconvnet
          filters: [8, 8, 24]
          filter_sizes: [5, 3, 1]
          paddings:
            - 2
            - 0
            - 1
          strides: [2, 1, 1]
          hidden_size: 70
          output_size: 26
          dropout_ratio: 0.25
          dropout: inverted
        dataset:
          name: fashion-mnist
          path: "/data/with # and: \\u00e9"
          training_samples: 1000
          test_samples: 200
        training: {epochs: 3, batch: 64, microbatch: 16, threads: 2}
        evaluation:
          microbatch: 50
          every_epochs: 2
        optimizer:
          name: adam
          learning_rate: 1e-2
          beta1: .5
          beta2: 0
          epsilon: 1.0e-8
          form: common
          weight_decay: 0.01
        communication:
          timeout_seconds: 0.5
        """, named: "x.yaml")
    var expected = Settings()
    expected.seed = UInt64(Int.max)
    expected.model.filters = [8, 8, 24]
    expected.model.filterSizes = [5, 3, 1]
    expected.model.paddings = [2, 0, 1]
    expected.model.strides = [2, 1, 1]
    expected.model.hiddenSize = 70
    expected.model.outputSize = 26
    expected.model.dropoutRatio = 0.25
    expected.model.dropout = .inverted
    expected.dataset.name = .fashionMNIST
    expected.dataset.path = "/data/with # and: é"
    expected.dataset.trainingSamples = 1000
    expected.dataset.testSamples = 200
    expected.training.epochs = 3
    expected.training.batch = 64
    expected.training.microbatch = 16
    expected.training.threads = 2
    expected.evaluation.microbatch = 50
    expected.evaluation.everyEpochs = 2
    expected.optimizer.learningRate = 0.01
    expected.optimizer.beta1 = 0.5
    expected.optimizer.beta2 = 0
    expected.optimizer.epsilon = 1e-8
    expected.optimizer.form = .common
    expected.optimizer.weightDecay = 0.01
    expected.communication.timeoutSeconds = 0.5
    #expect(settings == expected)
  }

  @Test(arguments: ["", "# nothing but a remark\n", "---\n", "null", "training:\n", "{}"])
  func nothingGivesTheDefaults(text: String) throws {
    #expect(try SettingsLoader.load(text: text, named: "x.yaml") == Settings())
  }

  @Test func lineEndsOfOtherSystemsAreFine() throws {
    let settings = try SettingsLoader.load(text: "seed: 3\r\ntraining:\r\n  batch: 7\r\n", named: "x.yaml")
    #expect(settings.seed == 3 && settings.training.batch == 7)
  }

  @Test(arguments: ["deepconvnet-mnist", "deepconvnet-mnist-best", "fashion-mnist", "fashion-mnist-best"])
  func filesOfTheRepositoryLoad(name: String) throws {
    let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent()
    let settings = try SettingsLoader.load(file: root.appendingPathComponent("configs/\(name).yaml").path)
    #expect(settings.training.batch == 100)
    #expect(name.contains(settings.dataset.name.rawValue))
    // The book's network, but for clothes: what is better with digits is so by training alone.
    let isBooks = settings.model.filters == Settings().model.filters && settings.model.hiddenSize == 50
    #expect(isBooks == (name != "fashion-mnist-best"))
    // Nothing may be chosen by the test samples, so that these have to wait for the end.
    if name.hasSuffix("-best") { #expect(settings.evaluation.everyEpochs >= settings.training.epochs) }
  }

  @Test func aMissingFileIsNoInput() throws {
    let folder = try TemporaryFolder()
    for path in [folder.path + "/absent.yaml", try folder.file("plain", []) + "/x.yaml"] {
      let failure = #expect(throws: Failure.self) { try SettingsLoader.load(file: path) }
      #expect(failure?.code == .noInput)
      #expect(failure?.cause.hasPrefix("\(path): ") == true)
    }
  }

  @Test func aFolderIsNoFile() throws {
    let folder = try TemporaryFolder()
    let failure = #expect(throws: Failure.self) { try SettingsLoader.load(file: folder.path) }
    #expect(failure?.code == .configuration)
    #expect(failure?.cause == "\(folder.path): this is a folder")
  }

  /// A file that even the superuser may not read, where the system has it.
  private static let writeOnly = "/proc/sys/vm/compact_memory"

  @Test(.enabled(if: geteuid() != 0 || FileManager.default.fileExists(atPath: writeOnly)))
  func aFileThatMayNotBeReadIsNoPermission() throws {
    let folder = try TemporaryFolder()
    let file = geteuid() == 0 ? Self.writeOnly : try folder.file("x.yaml", Array("seed: 1".utf8))
    if geteuid() != 0 { chmod(file, 0) }
    let failure = #expect(throws: Failure.self) { try SettingsLoader.load(file: file) }
    #expect(failure?.code == .noPermission)
    #expect(failure?.cause == "\(file): the file may not be read")
  }

  @Test func anEndlessFileIsRefused() {
    let failure = #expect(throws: Failure.self) { try SettingsLoader.load(file: "/dev/zero") }
    #expect(failure?.code == .configuration)
    #expect(failure?.cause.contains("larger than 262144 bytes") == true)
  }

  @Test func aPipeIsRead() throws {
    let folder = try TemporaryFolder()
    let path = folder.path + "/pipe"
    #expect(mkfifo(path, 0o600) == 0)
    let writer = Thread {
      try? Data("seed: 12\n".utf8).write(to: URL(fileURLWithPath: path), options: [])
    }
    writer.start()
    #expect(try SettingsLoader.load(file: path).seed == 12)
  }
}
