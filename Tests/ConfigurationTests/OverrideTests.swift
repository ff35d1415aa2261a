import Configuration
import Failures
import Testing

private func failure(of overrides: String...) -> Failure? {
  #expect(throws: Failure.self) { try SettingsLoader.load(file: nil, overrides: overrides) }
}

@Suite struct OverrideTests {
  @Test func overridesChangeWhatTheFileSays() throws {
    let folder = try TemporaryFolder()
    let file = try folder.file("x.yaml", Array("seed: 5\ntraining:\n  batch: 40\n  epochs: 2\n".utf8))
    let settings = try SettingsLoader.load(
      file: file,
      overrides: [
        "training.batch=200", "training.microbatch=25", "dataset.name=synthetic-digits", "optimizer.learning_rate=1e-4",
        "model.filters=[4, 4]", "model.filter_sizes=[3,3]", "model.paddings=[1,1]", "model.strides=[1,1]",
        "dataset.path=/a=b/c", "training.epochs=7", "training.epochs=8",
      ])
    var expected = Settings()
    expected.seed = 5
    expected.training.batch = 200
    expected.training.microbatch = 25
    expected.training.epochs = 8
    expected.dataset.name = .syntheticDigits
    expected.dataset.path = "/a=b/c"
    expected.optimizer.learningRate = 1e-4
    expected.model.filters = [4, 4]
    expected.model.filterSizes = [3, 3]
    expected.model.paddings = [1, 1]
    expected.model.strides = [1, 1]
    #expect(settings == expected)
  }

  @Test(arguments: [
    ("dataset.path=", nil), ("dataset.path=null", nil), ("dataset.path=~", nil),
    ("dataset.path=\"null\"", "null"), ("dataset.path=2024", "2024"), ("dataset.path=~/mnist", "~/mnist"),
    ("dataset.path=\"a # b\"", "a # b"), ("dataset.path=a#b", "a#b"), ("dataset.path=héé ", "héé"),
  ])
  func pathsAreTakenAsYAML(override: String, path: String?) throws {
    #expect(try SettingsLoader.load(file: nil, overrides: [override]).dataset.path == path)
  }

  @Test(arguments: ["training.batch", "=5", "", "--seed"])
  func whatIsNoSettingIsAUsageError(override: String) {
    let failure = failure(of: override)
    #expect(failure?.code == .usage)
    #expect(failure?.cause == "command line: \"\(override)\" is no setting")
  }

  private static let examples: [Example] = [
    Example("training.bacth=5", "command line: unknown key training.bacth", "did you mean training.batch?"),
    Example(
      "lr=5", "command line: unknown key lr",
      "the keys and sections are seed, model, dataset, augmentation, training, evaluation, optimizer, checkpoint, "
        + "reporting, communication, reliability"),
    Example(
      "training.batch=five", "command line: training.batch must be an integer, but is the text \"five\"",
      "give an integer from 1 to 1048576"),
    Example(
      "training.batch=", "command line: training.batch must be an integer, but is null (nothing)",
      "give an integer from 1 to 1048576"),
    Example(
      "training.batch=-1", "command line: training.batch is -1, outside its range", "give an integer from 1 to 1048576"),
    Example(
      "training={batch: 5}", "command line: training is a section, not a setting",
      "set one of training.epochs, training.batch, training.microbatch, training.label_smoothing, "
        + "training.early_stopping_patience, training.threads"),
    Example(
      "dataset.path=a # b", "command line: dataset.path is \"a # b\", of which # makes a part a comment",
      "quote a text as in dataset.path='\"text\"'"),
    Example(
      "dataset.path=#b", "command line: dataset.path is \"#b\", of which # makes a part a comment",
      "quote a text as in dataset.path='\"text\"'"),
    Example(
      "dataset.path=[", "command line: dataset.path is \"[\": this is not YAML: did not find expected node content",
      "quote a text as in dataset.path='\"text\"'"),
    Example(
      "dataset.path=*a", "command line: dataset.path is \"*a\": anchors and aliases (& and *) are not allowed",
      "quote a text as in dataset.path='\"text\"'"),
    Example(
      "dataset.path=a: b", "command line: dataset.path must be a path or null, but is a map", "write the path in quotes"
    ),
    Example(
      "training.microbatch=101",
      "command line: training.microbatch 101 is larger than training.batch 100 (default)",
      "a batch is cut into microbatches: set training.microbatch to 100 or less"),
  ]

  @Test(arguments: examples)
  func theLineSaysWhat(example: Example) {
    let failure = failure(of: example.text)
    #expect(failure == Failure(.configuration, example.cause, remedy: example.remedy))
  }
}
