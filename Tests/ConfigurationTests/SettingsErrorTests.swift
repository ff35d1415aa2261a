import Configuration
import Failures
import Testing

/// A text, and the line that a person gets to read of it: what is wrong and what to do.
struct Example: Sendable {
  let text: String
  let cause: String
  let remedy: String

  init(_ text: String, _ cause: String, _ remedy: String) {
    self.text = text
    self.cause = cause
    self.remedy = remedy
  }
}

private let anInteger = "give an integer from 1 to 1048576"
private let everything =
  "the keys and sections are seed, model, dataset, augmentation, training, evaluation, optimizer, checkpoint, "
  + "reporting, communication, reliability"
private let lengths = "give model.filters, filter_sizes, paddings and strides one element for each convolution"
private let spelling = "check indentation, colons and quotes there"

@Suite struct SettingsErrorTests {
  private static let keys: [Example] = [
    Example("seed: 1\ntraining:\n  bacth: 5", "x.yaml:3: unknown key training.bacth", "did you mean training.batch?"),
    Example("batch: 100", "x.yaml:1: unknown key batch", "did you mean training.batch?"),
    Example("optimizer:\n  batch: 100", "x.yaml:2: unknown key optimizer.batch", "did you mean training.batch?"),
    Example("trianing:\n  batch: 100", "x.yaml:1: unknown key trianing", "did you mean training?"),
    Example("seeds: 4", "x.yaml:1: unknown key seeds", "did you mean seed?"),
    Example(
      "dataset:\n  colour: red", "x.yaml:2: unknown key dataset.colour",
      "the keys of dataset are name, path, training_samples, test_samples, validation_samples"),
    Example("extremely_wrong: 1", "x.yaml:1: unknown key extremely_wrong", everything),
    Example(
      "training.batch: 100", "x.yaml:1: the key training.batch is written with a dot",
      "write `batch: …` indented below `training:`"),
    Example("\"a\\nb\\e[31m\": 1", "x.yaml:1: unknown key \"a\\nb\\U0000001b[31m\"", everything),
  ]

  private static let types: [Example] = [
    Example(
      "training:\n  batch: many", "x.yaml:2: training.batch must be an integer, but is the text \"many\"", anInteger),
    Example(
      "training:\n  batch: \"5\"", "x.yaml:2: training.batch must be an integer, but is the text \"5\"", anInteger),
    Example("training:\n  batch: 1.5", "x.yaml:2: training.batch must be an integer, but is the number 1.5", anInteger),
    Example(
      "training:\n  batch: 0100", "x.yaml:2: training.batch must be an integer, but is the text \"0100\"", anInteger),
    Example("training:\n  batch:", "x.yaml:2: training.batch must be an integer, but is null (nothing)", anInteger),
    Example("training:\n  batch: [1]", "x.yaml:2: training.batch must be an integer, but is a list", anInteger),
    Example("training:\n  batch: {size: 1}", "x.yaml:2: training.batch must be an integer, but is a map", anInteger),
    Example(
      "optimizer:\n  beta1: 0x1p-1", "x.yaml:2: optimizer.beta1 must be a number, but is the text \"0x1p-1\"",
      "give a number, at least 0 and below 1"),
    Example(
      "optimizer:\n  beta1: .nan", "x.yaml:2: optimizer.beta1 must be a number, but is the text \".nan\"",
      "give a number, at least 0 and below 1"),
    Example(
      "model:\n  dropout: true", "x.yaml:2: model.dropout is \"true\", which is none of its choices",
      "choose one of: book, inverted"),
    Example(
      "model:\n  dropout: invreted", "x.yaml:2: model.dropout is \"invreted\", which is none of its choices",
      "did you mean inverted?"),
    Example(
      "model:\n  name: null", "x.yaml:2: model.name must be a name, but is null (nothing)",
      "the only choice is deepconvnet"),
    Example(
      "dataset:\n  path: true", "x.yaml:2: dataset.path must be a path or null, but is the boolean true",
      "write the path in quotes"),
    Example(
      "dataset:\n  path: \"a\\0b\"", "x.yaml:2: dataset.path is a path with a control character: \"a\\U00000000b\"",
      "take it out"),
    Example(
      "training: 100", "x.yaml:1: training is a section of settings, but its value is the integer 100",
      "below it, indented, may stand epochs, batch, microbatch, label_smoothing, early_stopping_patience, threads"),
    Example("- 1\n- 2", "x.yaml:1: settings must be a map, but this is a list", "write lines such as `seed: 0`"),
    Example(
      "hello", "x.yaml:1: settings must be a map, but this is the text \"hello\"", "write lines such as `seed: 0`"),
  ]

  private static let ranges: [Example] = [
    Example("training:\n  batch: 0", "x.yaml:2: training.batch is 0, outside its range", anInteger),
    Example(
      "seed: 18446744073709551616", "x.yaml:1: seed is 18446744073709551616, outside its range",
      "give an integer from 0 to 9223372036854775807"),
    Example("seed: -1", "x.yaml:1: seed is -1, outside its range", "give an integer from 0 to 9223372036854775807"),
    Example(
      "model:\n  dropout_ratio: 1", "x.yaml:2: model.dropout_ratio is 1, outside its range",
      "give a number, at least 0 and below 1"),
    Example(
      "optimizer:\n  learning_rate: 0.0", "x.yaml:2: optimizer.learning_rate is 0.0, outside its range",
      "give a number, above 0 and at most 100"),
  ]

  private static let lists: [Example] = [
    Example(
      "model:\n  filters: 16", "x.yaml:2: model.filters must be a list of integers, but is the integer 16",
      "write it as [1, 1], with integers from 1 to 4096"),
    Example(
      "model:\n  filters: []", "x.yaml:2: model.filters is an empty list",
      "write it as [1, 1], with integers from 1 to 4096"),
    Example(
      "model:\n  filters:\n    - 1\n    - two",
      "x.yaml:4: model.filters must be a list of integers; its element 2 is the text \"two\"",
      "give integers from 1 to 4096"),
    Example(
      "model:\n  paddings: [0, -1]", "x.yaml:2: model.paddings is out of range; its element 2 is -1",
      "give integers from 0 to 64"),
    Example(
      "model:\n  filters: [" + String(repeating: "1,", count: 65) + "]", "x.yaml:2: model.filters has 65 elements",
      "give 64 at most"),
    Example(
      "seed: 0\nmodel:\n  strides: [1, 1]",
      "x.yaml:3: model.strides of length 2 does not fit model.filters of length 6 (default)", lengths),
    Example(
      "model:\n  filters: [8, 8]",
      "x.yaml:2: model.filter_sizes of length 6 (default) does not fit model.filters of length 2", lengths),
  ]

  private static let contradictions: [Example] = [
    Example(
      "training:\n  batch: 10\n  microbatch: 20",
      "x.yaml:3: training.microbatch 20 is larger than training.batch 10 (x.yaml:2)",
      "a batch is cut into microbatches: set training.microbatch to 10 or less"),
    Example(
      "training:\n  batch: 4", "x.yaml:2: training.microbatch 5 (default) is larger than training.batch 4",
      "a batch is cut into microbatches: set training.microbatch to 4 or less"),
    Example(
      "optimizer:\n  sharded: true\n  name: lamb",
      "x.yaml:2: optimizer.sharded true does not go with optimizer.name lamb (x.yaml:3)",
      "lamb needs norms of whole tensors, of which a rank would have a slice: choose adam or sgd, or set "
        + "optimizer.sharded to false"),
    Example(
      "optimizer:\n  sharded: true\ncommunication:\n  compression: int8",
      "x.yaml:2: optimizer.sharded true does not go with communication.compression int8 (x.yaml:4)",
      "compressed gradients come to every rank in whole, so that none has a slice of its own: turn one of the two off"),
    Example(
      "communication:\n  local_groups: 12", "x.yaml:2: communication.local_groups is 12, which is no power of two",
      "the gradient's tree has levels of 1, 2, 4, 8, … nodes: choose one of these"),
    Example(
      "communication:\n  local_steps: 4\n  compression: int8",
      "x.yaml:2: communication.local_steps 4 does not go with communication.compression int8 (x.yaml:3)",
      "what travels are weights and moments, and no gradients: turn one of the two off"),
    Example(
      "communication:\n  local_steps: 4\noptimizer:\n  sharded: true",
      "x.yaml:2: communication.local_steps 4 does not go with optimizer.sharded true (x.yaml:4)",
      "each group needs the whole state of an optimizer: turn one of the two off"),
    Example(
      "communication:\n  local_steps: 4\nreliability:\n  verify_every: 2",
      "x.yaml:2: communication.local_steps 4 does not go with reliability.verify_every 2 (x.yaml:4)",
      "a neighbour has other weights than the group whose microbatch it would compute: turn one of the two off"),
    Example(
      "communication:\n  local_steps: 4\ncheckpoint:\n  every_steps: 6",
      "x.yaml:2: communication.local_steps 4 does not go with checkpoint.every_steps 6 (x.yaml:4)",
      "between averages each group has another state: write one at multiples of 4"),
    Example(
      "communication:\n  compression_groups: 6",
      "x.yaml:2: communication.compression_groups is 6, which is no power of two",
      "the gradient's tree has levels of 1, 2, 4, 8, … nodes: choose one of these"),
  ]

  private static let structure: [Example] = [
    Example(
      "seed: 1\ntraining:\n  batch: 5\nseed: 2", "x.yaml:4:1: the key seed is there twice, in line 1 too",
      "keep one of them"),
    Example(
      "training:\n  batch: 5\n  \"batch\": 6", "x.yaml:3:3: the key batch is there twice, in line 2 too",
      "keep one of them"),
    Example(
      "a: &a [1]\nb: *a", "x.yaml:1:4: anchors and aliases (& and *) are not allowed",
      "write the value out, or quote it"),
    Example(
      "seed: *a", "x.yaml:1:7: anchors and aliases (& and *) are not allowed", "write the value out, or quote it"),
    Example("seed: !!int \"5\"", "x.yaml:1:7: tags (!) are not allowed", "take the tag out, or quote the value"),
    Example("seed: 1\n---\nseed: 2", "x.yaml:2:1: a second document begins here", "keep one document in the file"),
    Example("? [a, b]\n: 1", "x.yaml:1:3: a list or a map is used as a key", "keys are plain words"),
    Example(
      "seed: " + String(repeating: "[", count: 100_000), "x.yaml:1:22: lists or maps are nested more than 16 deep",
      "settings nest three deep at most"),
  ]

  private static let syntax: [Example] = [
    Example(
      "training:\n\tbatch: 5", "x.yaml:2:1: this is not YAML: found character that cannot start any token",
      "indent with spaces, not with tabs"),
    Example("training:\n  batch: 5\n seed: 1", "x.yaml:3:2: this is not YAML: did not find expected key", spelling),
    Example(
      "dataset:\n  path: \"unfinished", "x.yaml:2:20: this is not YAML: found unexpected end of stream", spelling),
    Example(
      "seed: 1\nmodel: \u{1}", "x.yaml:2:8: this is not text: control characters are not allowed",
      "save the file as UTF-8 text"),
  ]
  @Test(arguments: [keys, types, ranges, lists, contradictions, structure, syntax].joined())
  func theLineSaysWhatAndWhere(example: Example) {
    let failure = failure(in: example.text)
    #expect(failure == Failure(.configuration, example.cause, remedy: example.remedy))
  }

  @Test func bytesThatAreNoTextAreRefused() throws {
    let folder = try TemporaryFolder()
    let file = try folder.file("x.yaml", Array("seed: 1\ndataset:\n  path: ".utf8) + [0xff, 0xfe, 0xfd])
    let failure = #expect(throws: Failure.self) { try SettingsLoader.load(file: file) }
    #expect(failure?.code == .configuration)
    #expect(failure?.cause.hasPrefix("\(file):3:9: this is not text: ") == true)
  }

  @Test func aTextThatIsTooLongIsRefused() {
    let failure = failure(in: String(repeating: "#", count: 300_000))
    #expect(failure?.cause == "x.yaml: this is larger than 262144 bytes, which no file of settings is")
  }

  @Test func whatIsLongIsCutInMessages() {
    let long = String(repeating: "9", count: 5000)
    for text in ["seed: \(long)", "\(long): 1", "dataset:\n  name: x\(long)"] {
      #expect((failure(in: text)?.description.count ?? .max) < 300)
    }
  }

  /// Cutting a file anywhere gives settings or a failure, never a trap; so does any one byte in the wrong place.
  @Test func damagedFilesNeverTrap() throws {
    let whole = Array(Settings().yaml(documented: true).utf8)
    let folder = try TemporaryFolder()
    var state: UInt64 = 7
    for _ in 0..<300 {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      var bytes = whole
      let place = Int(state >> 33) % bytes.count
      if state >> 32 & 1 == 0 { bytes.removeLast(place) } else { bytes[place] = UInt8(truncatingIfNeeded: state >> 20) }
      let file = try folder.file("x.yaml", bytes)
      do {
        _ = try SettingsLoader.load(file: file)
      } catch let failure {
        #expect(failure.code == .configuration)
        #expect(failure.cause.hasPrefix(file + ":"))
        #expect(!failure.description.contains("\n"))
      }
    }
  }
}
