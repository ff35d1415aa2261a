/// The one table of all settings. Parsing, errors, explanations and the resolved file come from it, in its order.
public enum SettingsCatalog {
  /// The sections of the file, in its order, with one line on each.
  public static let sections: [(name: String, documentation: String)] = [
    ("model", "The network."),
    ("dataset", "The labelled images to train and test on."),
    ("augmentation", "How training sees each image: every epoch as another copy; all 0: as it is."),
    ("training", "How the training samples are passed over."),
    ("evaluation", "How the test samples are passed over."),
    ("optimizer", "How a gradient changes the parameters."),
    ("checkpoint", "When the state of a run is written, and what is kept of it."),
    ("reporting", "What is told of a run while it goes on."),
    ("communication", "How ranks wait for each other, and what of a gradient travels."),
    ("reliability", "How errors of processors and memory are found."),
  ]

  public static let settings: [Setting] = [
    .integer(
      "seed", \.seed, in: 0...Int.max, .arithmetic,
      "Key of every random number: initial weights, order, dropout, augmentation, synthetic digits."),

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
      "by_shape: 3x3 convolutions by Winograd's filtering; direct: none, to compare, several times slower."),
    .choice(
      "model.precision", \.model.precision, .arithmetic,
      "In how many bits the network sees its weights; the optimizer changes them in float32."),

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
      "dataset.validation_samples", \.dataset.validationSamples, in: 0...maximumSamples, .arithmetic,
      "Hold back the last N training samples to choose by; testing then waits for the end. 0: none."),

    .number(
      "augmentation.rotation", \.augmentation.rotation, Bounds(from: 0, to: 180), .arithmetic,
      "Largest turn about the centre, to either side, in degrees."),
    .number(
      "augmentation.shift", \.augmentation.shift, Bounds(from: 0, to: 64), .arithmetic,
      "Largest shift along each axis, to either side, in pixels and parts of them."),
    .number(
      "augmentation.scale", \.augmentation.scale, Bounds(from: 0, to: 0.9), .arithmetic,
      "Largest change of size, as a share of it: 0.1 gives 0.9 to 1.1 times the size."),
    .number(
      "augmentation.shear", \.augmentation.shear, Bounds(from: 0, to: 60), .arithmetic,
      "Largest lean of vertical lines, to either side, in degrees."),
    .number(
      "augmentation.elastic", \.augmentation.elastic, Bounds(from: 0, to: 64), .arithmetic,
      "Standard deviation of a random displacement of each pixel along each axis, in pixels."),
    .number(
      "augmentation.elastic_smoothness", \.augmentation.elasticSmoothness, Bounds(from: 1, to: 64), .arithmetic,
      "Standard deviation of the Gaussian that smooths those displacements, in pixels."),
    .integer(
      "augmentation.crop", \.augmentation.crop, in: 0...64, .arithmetic,
      "Largest shift along each axis, to either side, in whole pixels: no value is interpolated."),
    .number(
      "augmentation.flip", \.augmentation.flip, Bounds(from: 0, to: 1), .arithmetic,
      "Probability that left and right are exchanged; leave it at 0 for digits and letters."),
    .number(
      "augmentation.brightness", \.augmentation.brightness, Bounds(from: 0, to: 1), .arithmetic,
      "Largest number added to all pixels or taken away, as a share of 255."),
    .number(
      "augmentation.contrast", \.augmentation.contrast, Bounds(from: 0, to: 1), .arithmetic,
      "Largest change of the distance from the mean, as a share: 0.2 gives 0.8 to 1.2 times it."),
    .number(
      "augmentation.noise", \.augmentation.noise, Bounds(from: 0, to: 1), .arithmetic,
      "Standard deviation of a random number added to each pixel, as a share of 255."),
    .number(
      "augmentation.erasing", \.augmentation.erasing, Bounds(from: 0, to: 1), .arithmetic,
      "Probability that a rectangle of 2 to 33 % of the image gives way to random pixels."),

    .integer(
      "training.epochs", \.training.epochs, in: 1...1_000_000, .job,
      "Passes over the training samples."),
    .integer(
      "training.batch", \.training.batch, in: 1...maximumBatch, .arithmetic,
      "Samples in a global batch, over all ranks: one step of the optimizer."),
    .integer(
      "training.microbatch", \.training.microbatch, in: 1...maximumBatch, .arithmetic,
      "Samples whose gradient one thread computes at once; a batch's microbatches are shared among the ranks."),
    .number(
      "training.label_smoothing", \.training.labelSmoothing, Bounds(from: 0, below: 1), .arithmetic,
      "Share of each label that is spread evenly over all classes."),
    .integer(
      "training.early_stopping_patience", \.training.earlyStoppingPatience, in: 0...1_000_000, .job,
      "Evaluations without fewer validation errors than ever before, after which the run ends; 0: it goes on."),
    .integer(
      "training.threads", \.training.threads, in: 0...1024, .process,
      "Threads of one rank that compute microbatches; 0: one a core in a process alone, one under a launcher."
    ),

    .integer(
      "evaluation.microbatch", \.evaluation.microbatch, in: 1...maximumBatch, .arithmetic,
      "Samples that one thread predicts at once."),
    .integer(
      "evaluation.every_epochs", \.evaluation.everyEpochs, in: 1...1_000_000, .job,
      "Epochs from one evaluation to the next; the last epoch is always followed by one."),
    .integer(
      "evaluation.views", \.evaluation.views, in: 1...1024, .arithmetic,
      "Looks at a sample whose probabilities are averaged: the image, then augmented copies without erasing."),

    .choice(
      "optimizer.name", \.optimizer.name, .arithmetic,
      "The rule by which a gradient changes the parameters; lamb is Adam for large batches."),
    .number(
      "optimizer.learning_rate", \.optimizer.learningRate, Bounds(above: 0, to: 100), .arithmetic,
      "Step size, at its largest where a schedule changes it; for a batch of reference_batch where it is scaled."),
    .number(
      "optimizer.beta1", \.optimizer.beta1, Bounds(from: 0, below: 1), .arithmetic,
      "What a step of adam or lamb keeps of the first moment, the mean of the gradients."),
    .number(
      "optimizer.beta2", \.optimizer.beta2, Bounds(from: 0, below: 1), .arithmetic,
      "What a step of adam or lamb keeps of the second moment, the mean of the squared gradients."),
    .number(
      "optimizer.epsilon", \.optimizer.epsilon, Bounds(from: 1e-37, to: 1), .arithmetic,
      "Added to the root of the second moment, against division by zero."),
    .choice(
      "optimizer.form", \.optimizer.form, .arithmetic,
      "Of adam. book: epsilon is added to the root of the raw second moment; common: of the corrected one."),
    .number(
      "optimizer.momentum", \.optimizer.momentum, Bounds(from: 0, below: 1), .arithmetic,
      "What a step of sgd keeps of the velocity."),
    .boolean(
      "optimizer.nesterov", \.optimizer.nesterov, .arithmetic, "Nesterov's momentum for sgd."),
    .number(
      "optimizer.weight_decay", \.optimizer.weightDecay, Bounds(from: 0, to: 1), .arithmetic,
      "Share of a parameter, times the rate, that a step takes away (as AdamW); lamb adds it to its direction."
    ),
    .number(
      "optimizer.clip_norm", \.optimizer.clipNorm, Bounds(from: 0, to: 1e30), .arithmetic,
      "Largest norm of a batch's gradient over all parameters, to which a larger one is scaled down; 0: any."),
    .number(
      "optimizer.average_decay", \.optimizer.averageDecay, Bounds(from: 0, below: 1), .arithmetic,
      "What a step keeps of the weights' moving average, which is evaluated and written then; 0: no average."),
    .boolean(
      "optimizer.sharded", \.optimizer.sharded, .job,
      "Each rank updates its slice and keeps the moments of that alone; the bits are the same. Not lamb."),
    .choice(
      "optimizer.schedule", \.optimizer.schedule, .arithmetic,
      "How the learning rate falls behind the warm-up: not, in steps, or to final_rate by a half cosine or a line."),
    .integer(
      "optimizer.schedule_epochs", \.optimizer.scheduleEpochs, in: 0...1_000_000, .arithmetic,
      "Epochs, warm-up included, after which cosine or linear is at its end; 0: training.epochs."),
    .integer(
      "optimizer.warmup_epochs", \.optimizer.warmupEpochs, in: 0...1_000_000, .arithmetic,
      "Epochs in which the learning rate rises from 0 to its largest, in a straight line."),
    .integer(
      "optimizer.warmup_steps", \.optimizer.warmupSteps, in: 0...1_000_000_000, .arithmetic,
      "Steps of the same, added to those epochs."),
    .number(
      "optimizer.final_rate", \.optimizer.finalRate, Bounds(from: 0, to: 1), .arithmetic,
      "Where cosine and linear end, as a share of the largest learning rate."),
    .number(
      "optimizer.decay_factor", \.optimizer.decayFactor, Bounds(above: 0, to: 1), .arithmetic,
      "What schedule step multiplies the learning rate by, again and again."),
    .integer(
      "optimizer.decay_epochs", \.optimizer.decayEpochs, in: 1...1_000_000, .arithmetic,
      "Epochs from one such multiplication to the next."),
    .choice(
      "optimizer.batch_scaling", \.optimizer.batchScaling, .arithmetic,
      "How the learning rate grows with training.batch / reference_batch: not, linearly, or with its square root."),
    .integer(
      "optimizer.reference_batch", \.optimizer.referenceBatch, in: 1...maximumBatch, .arithmetic,
      "The batch for which the learning rate is given, where it is scaled."),

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
      "Keeps the checkpoint with the fewest errors besides: of the validation samples, or else of the test's."),

    .boolean(
      "reporting.tensorboard", \.reporting.tensorboard, .job,
      "Writes files of events for TensorBoard into the run's folder."),
    .integer(
      "reporting.every_steps", \.reporting.everySteps, in: 1...1_000_000, .job,
      "Steps whose means make a point of a curve in TensorBoard; the metrics have every step."),

    .number(
      "communication.timeout_seconds", \.communication.timeoutSeconds, Bounds(above: 0, to: 604_800), .process,
      "Seconds that a rank waits for another before it ends the job."),
    .choice(
      "communication.compression", \.communication.compression, .arithmetic,
      "In how many bits gradients travel; what is lost of one goes into the next. int8: with a scale for each 256."),
    .integer(
      "communication.compression_groups", \.communication.compressionGroups, in: 1...256, .arithmetic,
      "Groups of microbatches whose sums are compressed, a power of two; a job has at most so many ranks."),
    .number(
      "communication.top_k_share", \.communication.topKShare, Bounds(above: 0, to: 1), .arithmetic,
      "Share of a gradient's entries that travels with top-k: those of largest magnitude."),
    .integer(
      "communication.local_steps", \.communication.localSteps, in: 1...1_000_000, .arithmetic,
      "Steps that groups of microbatches make alone before their weights are averaged: another training; 1: none."),
    .integer(
      "communication.local_groups", \.communication.localGroups, in: 1...256, .arithmetic,
      "Groups of microbatches that make such steps, a power of two; a job has at most so many ranks."),

    .integer(
      "reliability.agree_every", \.reliability.agreeEvery, in: 0...Int.max, .job,
      "Steps from one comparison of all ranks' states to the next; 0: before checkpoints alone."),
    .integer(
      "reliability.verify_every", \.reliability.verifyEvery, in: 0...Int.max, .job,
      "Steps from one verification to the next, where each rank computes a neighbour's microbatch; 0: none."),
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
