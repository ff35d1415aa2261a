import Configuration
import Digests
import Failures
import Testing

/// Settings far from the defaults, drawn from a seed.
private func randomSettings(_ seed: UInt64) -> Settings {
  var state = seed
  func draw(_ range: ClosedRange<Int>) -> Int {
    state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
    return range.lowerBound + Int(state >> 33) % (range.upperBound - range.lowerBound + 1)
  }
  func fraction() -> Double { Double(draw(1...1_000_000_000)) / 1_000_000_007 / Double(draw(1...1000)) }
  let convolutions = draw(1...9)
  func list(_ range: ClosedRange<Int>) -> [Int] { (0..<convolutions).map { _ in draw(range) } }
  let paths: [String?] = [
    nil, "", "/data", "data/my files", "null", "~", "5", "true", "- a", "a: b # c", "\"quoted\\", "é\u{200b}漢", "@x",
    " blank ", "line's", "[1]", "C:\\data", "=", "1e5", "off",
  ]

  var settings = Settings()
  settings.seed = UInt64(draw(0...Int(Int32.max))) << UInt64(draw(0...32))
  settings.model.filters = list(1...4096)
  settings.model.filterSizes = list(1...64)
  settings.model.paddings = list(0...64)
  settings.model.strides = list(1...64)
  settings.model.poolingInterval = draw(1...9)
  settings.model.hiddenSize = draw(1...65_536)
  settings.model.outputSize = draw(2...65_536)
  settings.model.dropoutRatio = fraction()
  settings.model.dropout = draw(0...1) == 0 ? .book : .inverted
  settings.model.kernels = draw(0...1) == 0 ? .byShape : .direct
  settings.dataset.name = Settings.Dataset.Name.allCases[draw(0...2)]
  settings.dataset.path = paths[draw(0...paths.count - 1)].flatMap { $0.isEmpty ? nil : $0 }
  settings.dataset.trainingSamples = draw(0...Int(Int32.max))
  settings.dataset.testSamples = draw(0...10)
  settings.dataset.validationSamples = draw(1...10)
  settings.augmentation.rotation = fraction()
  settings.augmentation.crop = draw(0...64)
  settings.augmentation.elasticSmoothness = 1 + fraction()
  settings.training.labelSmoothing = fraction()
  settings.training.earlyStoppingPatience = draw(0...9)
  settings.training.epochs = draw(1...1_000_000)
  settings.training.batch = draw(1...1_048_576)
  settings.training.microbatch = draw(1...settings.training.batch)
  settings.training.threads = draw(1...1024)
  settings.evaluation.microbatch = draw(1...1_048_576)
  settings.evaluation.everyEpochs = draw(1...9)
  settings.optimizer.learningRate = fraction()
  settings.optimizer.beta1 = fraction()
  settings.optimizer.beta2 = fraction()
  settings.optimizer.epsilon = [1e-7, 1e-30, 1e-37, 1, 0.1 + 0.2][draw(0...4)]
  settings.optimizer.form = draw(0...1) == 0 ? .book : .common
  settings.optimizer.weightDecay = fraction()
  settings.optimizer.name = Settings.Optimizer.Name.allCases[draw(0...2)]
  settings.optimizer.nesterov = draw(0...1) == 0
  settings.optimizer.schedule = Settings.Optimizer.Schedule.allCases[draw(0...3)]
  settings.optimizer.warmupSteps = draw(0...1000)
  settings.optimizer.batchScaling = Settings.Optimizer.BatchScaling.allCases[draw(0...2)]
  settings.checkpoint.everySteps = draw(0...1000)
  settings.checkpoint.everyEpochs = draw(0...9)
  settings.checkpoint.keep = draw(1...9)
  settings.checkpoint.keepBest = draw(0...1) == 0
  settings.reporting.tensorboard = draw(0...1) == 0
  settings.reporting.everySteps = draw(1...9)
  settings.communication.timeoutSeconds = [60, 0.25, 604_800, fraction()][draw(0...3)]
  settings.communication.compression = Settings.Communication.Compression.allCases[draw(0...4)]
  settings.communication.compressionGroups = 1 << draw(0...8)
  settings.communication.topKShare = fraction()
  settings.communication.localGroups = 1 << draw(0...8)
  // Of which not every combination may be.
  settings.optimizer.sharded = draw(0...1) == 0 && settings.optimizer.name != .lamb
  if settings.optimizer.sharded { settings.communication.compression = .none }
  settings.reliability.agreeEvery = draw(0...1000)
  settings.reliability.verifyEvery = draw(0...1000)
  return settings
}

@Suite struct ResolvedSettingsTests {
  @Test(arguments: 0..<200 as Range<UInt64>)
  func theResolvedFileGivesEqualSettings(seed: UInt64) throws {
    let settings = randomSettings(seed)
    for isDocumented in [false, true] {
      let text = settings.yaml(documented: isDocumented)
      let loaded = try SettingsLoader.load(text: text, named: "x.yaml")
      #expect(loaded == settings)
      #expect(loaded.yaml(documented: isDocumented) == text)
    }
  }

  @Test func theResolvedFileReadsLikeOneWrittenByHand() {
    let text = Settings().yaml()
    #expect(text.hasPrefix("seed: 0\nmodel:\n  name: deepconvnet\n  filters: [16, 16, 32, 32, 64, 64]\n"))
    #expect(text.contains("\n  path: null\n"))
    #expect(text.contains("\n  epsilon: 1.0e-07\n"))
    #expect(text.contains("\ncommunication:\n  timeout_seconds: 60\n  compression: none\n"))
    #expect(Settings().yaml(documented: true).contains("\n  # Passes over the training samples.\n  epochs: 20\n"))
  }

  /// A text that a digest is taken of must not change unnoticed: files of earlier runs carry it.
  @Test func theArithmeticDigestOfTheDefaultsIsPinned() {
    #expect(
      Settings().arithmeticDigest.hexadecimal
        == "9028eff052fa031c60f89e8c791713c6b51adb65920150bacc112582d6fc222d")
  }

  @Test func onlyWhatEntersTheArithmeticEntersItsDigest() throws {
    let without: Set = [
      "dataset.path", "training.epochs", "training.early_stopping_patience", "training.threads",
      "evaluation.every_epochs", "checkpoint.every_steps", "checkpoint.every_epochs", "checkpoint.keep",
      "checkpoint.keep_best", "communication.timeout_seconds", "optimizer.sharded",
      "reliability.agree_every", "reliability.verify_every",
      "reporting.tensorboard", "reporting.every_steps",
    ]
    for (key, value) in changes {
      let overrides = value.split(separator: " ").map(String.init)
      let settings = try SettingsLoader.load(file: nil, overrides: overrides)
      // What the setting needs besides is not what is asked about.
      let before = try SettingsLoader.load(file: nil, overrides: Array(overrides.dropLast()))
      #expect((settings.arithmeticDigest == before.arithmeticDigest) == without.contains(key), "\(key)")
      let isOfTheProcess = ["dataset.path", "training.threads", "communication.timeout_seconds"].contains(key)
      #expect((settings.agreementDigest == before.agreementDigest) == isOfTheProcess, "\(key)")
    }
  }

  @Test func aFileOfWeightsSetsTheArithmeticAlone() throws {
    let settings = try SettingsLoader.load(file: nil, overrides: ["seed=3", "training.epochs=9"])
    let loaded = try SettingsLoader.load(stored: settings.arithmeticText, in: "w", overrides: ["dataset.path=/data"])
    #expect(loaded.seed == 3 && loaded.training.epochs == 20 && loaded.dataset.path == "/data")
    // A file from elsewhere must not lead to another file, nor make a job wait or train for ever.
    for text in [
      "dataset:\n  path: /etc\n", "training:\n  epochs: 1000000\n", "communication:\n  timeout_seconds: 1e5\n",
    ] {
      let failure = #expect(throws: Failure.self) { try SettingsLoader.load(stored: "seed: 3\n" + text, in: "w") }
      #expect(failure?.code == .badData)
      #expect(failure?.cause.hasPrefix("w, its configuration sets ") == true)
    }
  }

  @Test func theArithmeticTextLoads() throws {
    let settings = randomSettings(3)
    let loaded = try SettingsLoader.load(text: settings.arithmeticText, named: "weights.safetensors")
    #expect(loaded.arithmeticDigest == settings.arithmeticDigest)
    #expect(loaded.model == settings.model)
    #expect(loaded.dataset.path == nil)
  }

  @Test func differencesNameKeysAndBothValues() throws {
    for (key, value) in changes {
      let settings = try SettingsLoader.load(file: nil, overrides: value.split(separator: " ").map(String.init))
      #expect(settings.differences(from: Settings()).contains { $0.key == key }, "\(key)")
    }
    var settings = Settings()
    settings.training.batch = 50
    settings.dataset.path = "/data"
    let all = settings.differences(from: Settings())
    #expect(
      all.map(\.description) == [
        "dataset.path is /data here and null there", "training.batch is 50 here and 100 there",
      ])
    #expect(settings.differences(from: Settings(), in: [.arithmetic, .job]).map(\.key) == ["training.batch"])
    #expect(settings.differences(from: settings) == [])
  }

  /// Every setting, and overrides that change it alone (the lists have to agree in length).
  private let changes: [(key: String, overrides: String)] = [
    ("seed", "seed=1"),
    ("model.filters", "model.filters=[1,1,1,1,1,1]"),
    ("model.filter_sizes", "model.filter_sizes=[1,1,1,1,1,1]"),
    ("model.paddings", "model.paddings=[0,1,1,2,1,1]"),
    ("model.strides", "model.strides=[1,1,1,1,1,2]"),
    ("model.pooling_interval", "model.pooling_interval=3"),
    ("model.hidden_size", "model.hidden_size=51"),
    ("model.output_size", "model.output_size=11"),
    ("model.dropout_ratio", "model.dropout_ratio=0.4"),
    ("model.dropout", "model.dropout=inverted"), ("model.kernels", "model.kernels=direct"),
    ("model.precision", "model.precision=bfloat16"),
    ("dataset.name", "dataset.name=synthetic-digits"),
    ("dataset.path", "dataset.path=/data"),
    ("dataset.training_samples", "dataset.training_samples=1"),
    ("dataset.test_samples", "dataset.test_samples=1"),
    ("dataset.validation_samples", "dataset.validation_samples=1"),
    ("augmentation.rotation", "augmentation.rotation=1"),
    ("augmentation.shift", "augmentation.shift=1"),
    ("augmentation.scale", "augmentation.scale=0.1"),
    ("augmentation.shear", "augmentation.shear=1"),
    ("augmentation.elastic", "augmentation.elastic=1"),
    ("augmentation.elastic_smoothness", "augmentation.elastic_smoothness=5"),
    ("augmentation.crop", "augmentation.crop=1"),
    ("augmentation.flip", "augmentation.flip=0.5"),
    ("augmentation.brightness", "augmentation.brightness=0.1"),
    ("augmentation.contrast", "augmentation.contrast=0.1"),
    ("augmentation.noise", "augmentation.noise=0.1"),
    ("augmentation.erasing", "augmentation.erasing=0.5"),
    ("training.epochs", "training.epochs=21"),
    ("training.batch", "training.batch=101"),
    ("training.microbatch", "training.microbatch=6"),
    ("training.label_smoothing", "training.label_smoothing=0.1"),
    (
      "training.early_stopping_patience",
      "dataset.validation_samples=1 training.early_stopping_patience=1"
    ),
    ("training.threads", "training.threads=2"),
    ("evaluation.microbatch", "evaluation.microbatch=99"),
    ("evaluation.every_epochs", "evaluation.every_epochs=2"),
    ("evaluation.views", "augmentation.shift=1 evaluation.views=2"),
    ("optimizer.name", "optimizer.name=sgd"),
    ("optimizer.learning_rate", "optimizer.learning_rate=0.0010000000000000002"),
    ("optimizer.beta1", "optimizer.beta1=0.8"),
    ("optimizer.beta2", "optimizer.beta2=0.99"),
    ("optimizer.epsilon", "optimizer.epsilon=1e-8"),
    ("optimizer.form", "optimizer.form=common"),
    ("optimizer.momentum", "optimizer.momentum=0.8"),
    ("optimizer.nesterov", "optimizer.nesterov=true"),
    ("optimizer.weight_decay", "optimizer.weight_decay=0.1"),
    ("optimizer.clip_norm", "optimizer.clip_norm=1"),
    ("optimizer.average_decay", "optimizer.average_decay=0.9"),
    ("optimizer.sharded", "optimizer.sharded=true"),
    ("optimizer.schedule", "optimizer.schedule=cosine"),
    ("optimizer.schedule_epochs", "optimizer.schedule_epochs=10"),
    ("optimizer.warmup_epochs", "optimizer.warmup_epochs=1"),
    ("optimizer.warmup_steps", "optimizer.warmup_steps=1"),
    ("optimizer.final_rate", "optimizer.final_rate=0.1"),
    ("optimizer.decay_factor", "optimizer.decay_factor=0.5"),
    ("optimizer.decay_epochs", "optimizer.decay_epochs=5"),
    ("optimizer.batch_scaling", "optimizer.batch_scaling=linear"),
    ("optimizer.reference_batch", "optimizer.reference_batch=50"),
    ("checkpoint.every_steps", "checkpoint.every_steps=50"),
    ("checkpoint.every_epochs", "checkpoint.every_epochs=0"),
    ("checkpoint.keep", "checkpoint.keep=1"),
    ("checkpoint.keep_best", "checkpoint.keep_best=False"),
    ("reporting.tensorboard", "reporting.tensorboard=false"),
    ("reporting.every_steps", "reporting.every_steps=3"),
    ("communication.timeout_seconds", "communication.timeout_seconds=61"),
    ("communication.compression", "communication.compression=top-k"),
    ("communication.compression_groups", "communication.compression_groups=2"),
    ("communication.top_k_share", "communication.top_k_share=0.02"),
    ("communication.local_steps", "communication.local_steps=8"),
    ("communication.local_groups", "communication.local_groups=2"),
    ("reliability.agree_every", "reliability.agree_every=7"),
    ("reliability.verify_every", "reliability.verify_every=7"),
  ]

  @Test func theListOfChangesIsComplete() {
    let withOneChoice = SettingsCatalog.settings.filter {
      if case .choice(let choices) = $0.kind { choices.count == 1 } else { false }
    }
    #expect(
      Set(changes.map(\.key)).union(withOneChoice.map(\.key)) == Set(SettingsCatalog.settings.map(\.key)))
  }
}
