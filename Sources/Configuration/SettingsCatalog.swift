/// The one table of all settings. Parsing, errors, explanations and the resolved file come from it, in its order.
public enum SettingsCatalog {
  /// The sections of the file, in its order, with one line on each.
  public static let sections: [(name: String, documentation: String)] = [
    ("model", "The network."),
    ("dataset", "The labelled images to train and test on."),
    ("training", "How the training samples are passed over."),
    ("evaluation", "How the test samples are passed over."),
    ("optimizer", "How a gradient changes the parameters."),
    ("checkpoint", "When the state of a run is written, and what is kept of it."),
    ("reporting", "What is told of a run while it goes on."),
    ("communication", "How ranks wait for each other."),
  ]

  public static let settings: [Setting] = [
    .integer(
      "seed", \.seed, in: 0...Int.max, .arithmetic,
      "Key of every random number: initial weights, order, dropout, synthetic digits."),

    .choice("model.name", \.model.name, .arithmetic, "The network to train."),
    .integers(
      "model.filters", \.model.filters, in: 1...4096, .arithmetic,
      "Filters (output channels) of each convolution, from the image on."),
    .integers(
      "model.filter_sizes", \.model.filterSizes, in: 1...64, .arithmetic,
      "Height and width of each convolution's filters, in pixels."),
    .integers(
      "model.paddings", \.model.paddings, in: 0...64, .arithmetic,
      "Rows and columns of zeros on each side of each convolution's input, in pixels."),
    .integers(
      "model.strides", \.model.strides, in: 1...64, .arithmetic,
      "Step of each convolution's filters, in pixels."),
    .integer(
      "model.pooling_interval", \.model.poolingInterval, in: 1...64, .arithmetic,
      "Convolutions from one 2x2 max pooling to the next."),
    .integer(
      "model.hidden_size", \.model.hiddenSize, in: 1...65_536, .arithmetic,
      "Outputs of the hidden affine layer."),
    .integer(
      "model.output_size", \.model.outputSize, in: 2...65_536, .arithmetic,
      "Outputs of the network: the number of classes."),
    .number(
      "model.dropout_ratio", \.model.dropoutRatio, Bounds(from: 0, below: 1), .arithmetic,
      "Share of a layer's outputs that dropout sets to zero in training."),
    .choice(
      "model.dropout", \.model.dropout, .arithmetic,
      "book: prediction scales by 1 - ratio; inverted: training scales by 1 / (1 - ratio)."),
    .choice(
      "model.kernels", \.model.kernels, .arithmetic,
      "by_shape: 3x3 convolutions by Winograd's filtering; direct: none, to compare, at half the speed."),

    .choice("dataset.name", \.dataset.name, .arithmetic, "Which images; synthetic-digits are drawn by code."),
    .path(
      "dataset.path", \.dataset.path, .process,
      "Folder that holds the data set's files, or a folder of its name; null: the usual places are searched."),
    .integer(
      "dataset.training_samples", \.dataset.trainingSamples, in: 0...maximumSamples, .arithmetic,
      "Train on the first N samples only; 0: all (60000 of the synthetic digits)."),
    .integer(
      "dataset.test_samples", \.dataset.testSamples, in: 0...maximumSamples, .arithmetic,
      "Test on the first N samples only; 0: all (10000 of the synthetic digits)."),

    .integer(
      "training.epochs", \.training.epochs, in: 1...1_000_000, .job,
      "Passes over the training samples."),
    .integer(
      "training.batch", \.training.batch, in: 1...maximumBatch, .arithmetic,
      "Samples in a global batch, over all ranks: one step of the optimizer."),
    .integer(
      "training.microbatch", \.training.microbatch, in: 1...maximumBatch, .arithmetic,
      "Samples whose gradient one thread computes at once; a batch's microbatches are shared among the ranks."),
    .integer(
      "training.threads", \.training.threads, in: 0...1024, .process,
      "Threads of one rank that compute microbatches; 0: one a core in a process alone, one under a launcher."
    ),

    .integer(
      "evaluation.microbatch", \.evaluation.microbatch, in: 1...maximumBatch, .arithmetic,
      "Samples that one thread predicts at once."),
    .integer(
      "evaluation.every_epochs", \.evaluation.everyEpochs, in: 1...1_000_000, .job,
      "Epochs from one test to the next; the last epoch is always followed by one."),

    .choice("optimizer.name", \.optimizer.name, .arithmetic, "The rule by which a gradient changes the parameters."),
    .number(
      "optimizer.learning_rate", \.optimizer.learningRate, Bounds(above: 0, to: 100), .arithmetic,
      "Adam's step size."),
    .number(
      "optimizer.beta1", \.optimizer.beta1, Bounds(from: 0, below: 1), .arithmetic,
      "What a step keeps of Adam's first moment, the mean of the gradients."),
    .number(
      "optimizer.beta2", \.optimizer.beta2, Bounds(from: 0, below: 1), .arithmetic,
      "What a step keeps of Adam's second moment, the mean of the squared gradients."),
    .number(
      "optimizer.epsilon", \.optimizer.epsilon, Bounds(from: 1e-37, to: 1), .arithmetic,
      "Added to the root of the second moment, against division by zero."),
    .choice(
      "optimizer.form", \.optimizer.form, .arithmetic,
      "book: epsilon is added to the root of the raw second moment; common: of the corrected one."),
    .number(
      "optimizer.weight_decay", \.optimizer.weightDecay, Bounds(from: 0, to: 1), .arithmetic,
      "Share of each parameter, times the learning rate, that a step takes away (decoupled, as in AdamW)."),

    .integer(
      "checkpoint.every_steps", \.checkpoint.everySteps, in: 0...Int.max, .job,
      "Steps from one checkpoint to the next; 0: epochs alone count."),
    .integer(
      "checkpoint.every_epochs", \.checkpoint.everyEpochs, in: 0...1_000_000, .job,
      "Epochs from one checkpoint to the next; the end is kept too; both 0: none but when asked to stop."),
    .integer(
      "checkpoint.keep", \.checkpoint.keep, in: 1...1_000_000, .job,
      "Newest checkpoints that are kept; older ones are removed."),
    .boolean(
      "checkpoint.keep_best", \.checkpoint.keepBest, .job,
      "Keeps the checkpoint with the fewest test errors besides."),

    .boolean(
      "reporting.tensorboard", \.reporting.tensorboard, .job,
      "Writes files of events for TensorBoard into the run's folder."),
    .integer(
      "reporting.every_steps", \.reporting.everySteps, in: 1...1_000_000, .job,
      "Steps whose means make a point of a curve in TensorBoard; the metrics have every step."),

    .number(
      "communication.timeout_seconds", \.communication.timeoutSeconds, Bounds(above: 0, to: 604_800), .process,
      "Seconds that a rank waits for another before it ends the job."),
  ]

  /// The setting of this key, such as "training.batch"; nil where there is none.
  public static func setting(_ key: String) -> Setting? { byKey[key] }

  /// The settings of a section, such as "training"; "" has those outside all sections.
  static func settings(ofSection section: String) -> [Setting] { settings.filter { $0.section == section } }

  static func isSection(_ name: String) -> Bool { sections.contains { $0.name == name } }

  private static let byKey = Dictionary(settings.map { ($0.key, $0) }, uniquingKeysWith: { first, _ in first })

  /// Indices of samples are 32 bits wide in the counters of the random numbers.
  private static let maximumSamples = Int(Int32.max)
  private static let maximumBatch = 1_048_576
}
