import Augmentation
import Checkpoints
import Communication
import Configuration
import DataParallel
import Datasets
import Failures
import Models
import NeuralNetwork
import Optimizers

/// From settings to what they name.
extension Settings {
  /// The samples to train or to test on. Of the training samples those that are held back for validation are left out.
  ///
  /// - Throws: what `DatasetCatalog.open` throws; `.configuration` where validation leaves nothing to train on.
  public func openDataset(_ subset: Subset) throws(Failure) -> any Datasets.Dataset {
    let whole = try openWhole(subset)
    guard subset == .training, dataset.validationSamples > 0 else { return whole }
    return DatasetSlice(whole, 0..<(try splitPoint(of: whole)))
  }

  /// The training samples that are held back to choose by: the last ones, whatever the seed, so that the results of
  /// several seeds can be compared. Nil where none are.
  public func openValidation() throws(Failure) -> (any Datasets.Dataset)? {
    guard dataset.validationSamples > 0 else { return nil }
    let whole = try openWhole(.training)
    return DatasetSlice(whole, (try splitPoint(of: whole))..<whole.count)
  }

  private func openWhole(_ subset: Subset) throws(Failure) -> any Datasets.Dataset {
    try DatasetCatalog.open(
      name: dataset.name.rawValue, path: dataset.path, subset: subset,
      limit: subset == .training ? dataset.trainingSamples : dataset.testSamples, classCount: model.outputSize)
  }

  private func splitPoint(of training: any Datasets.Dataset) throws(Failure) -> Int {
    guard dataset.validationSamples < training.count else {
      throw Failure(
        .configuration,
        "dataset.validation_samples is \(dataset.validationSamples), and there are \(training.count) training samples",
        remedy: "hold back fewer, so that some are left to train on")
    }
    return training.count - dataset.validationSamples
  }

  /// The network for images of this shape, its parameters all 0.
  ///
  /// - Throws: `.configuration` where the model's sizes do not fit the images.
  public func makeNetwork(for shape: ImageShape) throws(Failure) -> Network {
    switch model.name {
    case .deepconvnet:
      var description = DeepConvNet()
      description.filters = model.filters
      description.filterSizes = model.filterSizes
      description.paddings = model.paddings
      description.strides = model.strides
      description.poolingInterval = model.poolingInterval
      description.hiddenSize = model.hiddenSize
      description.outputSize = model.outputSize
      description.dropoutRatio = model.dropoutRatio
      description.kernels = model.kernels == .byShape ? .byShape : .direct
      description.dropoutForm = model.dropout == .book ? .book : .inverted
      let network = try description.network(
        inputShape: FeatureShape(channels: shape.channels, height: shape.height, width: shape.width))
      network.labelSmoothing = training.labelSmoothing
      network.precision =
        switch model.precision {
        case .float32: .float32
        case .float16: .float16
        case .bfloat16: .bfloat16
        }
      return network
    }
  }

  /// The network for images of this shape with stored weights, ready to predict.
  ///
  /// - Parameter path: the weights' file, for messages.
  /// - Throws: `.configuration`, or `.badData` where the weights do not fit the network.
  public func makeNetwork(
    for shape: ImageShape, weights: SafetensorsFile, from path: String
  ) throws(Failure) -> Network {
    let network = try makeNetwork(for: shape)
    network.parameters.take(
      try weights.tensors(matching: network.parameters.tensors.map { ($0.name, $0.shape) }, from: path))
    network.prepareParameters()
    return network
  }

  /// - Parameters:
  ///   - parameters: what it will update.
  ///   - count: how many of them, where not all.
  public func makeOptimizer(for parameters: ParameterStore, count: Int? = nil) -> any Optimizers.Optimizer {
    let count = count ?? parameters.paddedCount
    switch optimizer.name {
    case .adam:
      var adam = Adam.Settings()
      adam.beta1 = optimizer.beta1
      adam.beta2 = optimizer.beta2
      adam.epsilon = optimizer.epsilon
      adam.form = optimizer.form == .book ? .book : .common
      adam.weightDecay = optimizer.weightDecay
      return Adam(settings: adam, count: count)
    case .lamb:
      var lamb = Lamb.Settings()
      lamb.beta1 = optimizer.beta1
      lamb.beta2 = optimizer.beta2
      lamb.epsilon = optimizer.epsilon
      lamb.weightDecay = optimizer.weightDecay
      let tensors = parameters.tensors.map { $0.offset..<$0.offset + $0.count }
      return Lamb(settings: lamb, tensors: tensors, count: count)
    case .sgd:
      var descent = StochasticGradientDescent.Settings()
      descent.momentum = optimizer.momentum
      descent.isNesterov = optimizer.nesterov
      descent.weightDecay = optimizer.weightDecay
      return StochasticGradientDescent(settings: descent, count: count)
    }
  }

  /// The learning rate as a function of the step.
  public var learningRateSchedule: LearningRateSchedule {
    var schedule = LearningRateSchedule()
    let batches = Double(training.batch) / Double(optimizer.referenceBatch)
    schedule.peak =
      switch optimizer.batchScaling {
      case .none: optimizer.learningRate
      case .linear: optimizer.learningRate * batches
      case .squareRoot: optimizer.learningRate * batches.squareRoot()
      }
    schedule.shape =
      switch optimizer.schedule {
      case .constant: .constant
      case .step: .step(factor: optimizer.decayFactor, everyEpochs: optimizer.decayEpochs)
      case .cosine: .cosine(end: optimizer.finalRate)
      case .linear: .linear(end: optimizer.finalRate)
      }
    schedule.warmupEpochs = optimizer.warmupEpochs
    schedule.warmupSteps = optimizer.warmupSteps
    schedule.epochs = optimizer.scheduleEpochs > 0 ? optimizer.scheduleEpochs : training.epochs
    return schedule
  }

  /// In which form gradients travel; nil: in float32.
  public var compression: Compression? {
    let form: Compression.Form
    switch communication.compression {
    case .none: return nil
    case .float16: form = .float16
    case .bfloat16: form = .bfloat16
    case .topK: form = .topK(share: communication.topKShare)
    case .int8: form = .int8
    }
    return Compression(form, groups: communication.compressionGroups)
  }

  /// How groups of microbatches train by themselves; nil: they do not.
  public var localSteps: LocalSteps? {
    guard communication.localSteps > 1 else { return nil }
    return LocalSteps(interval: communication.localSteps, groups: communication.localGroups)
  }

  /// How far the copies of an image may depart from it.
  public var augmentationSettings: AugmentationSettings {
    var result = AugmentationSettings()
    result.rotation = augmentation.rotation
    result.shift = augmentation.shift
    result.scale = augmentation.scale
    result.shear = augmentation.shear
    result.elastic = augmentation.elastic
    result.elasticSmoothness = augmentation.elasticSmoothness
    result.crop = augmentation.crop
    result.flip = augmentation.flip
    result.brightness = augmentation.brightness
    result.contrast = augmentation.contrast
    result.noise = augmentation.noise
    result.erasing = augmentation.erasing
    return result
  }

  /// How evaluations look at a sample: nil where at the image alone, or where all copies would be the image. A copy with a part erased would hide what it is asked
  /// about.
  public var testTimeAugmentation: TestTimeAugmentation? {
    guard evaluation.views > 1 else { return nil }
    var copies = augmentationSettings
    copies.erasing = 0
    guard !copies.isOff else { return nil }
    return TestTimeAugmentation(views: evaluation.views, augmentation: copies, seed: seed)
  }

  /// Threads of one rank: as many as are asked for, else one a core in a process that is alone and one elsewhere, where
  /// the ranks share the cores; never more than there are microbatches.
  public func threads(on communicator: any Communicator) -> Int {
    let microbatches = (training.batch + training.microbatch - 1) / training.microbatch
    let wanted =
      training.threads > 0 ? training.threads : communicator is SingleProcess ? PhysicalCores.count : 1
    return max(1, min(wanted, microbatches))
  }

  public func schedule(maximumSteps: Int?, threads: Int) -> Trainer.Schedule {
    var schedule = Trainer.Schedule()
    schedule.seed = seed
    schedule.epochs = training.epochs
    schedule.maximumSteps = maximumSteps
    schedule.batch = training.batch
    schedule.microbatch = training.microbatch
    schedule.evaluationMicrobatch = evaluation.microbatch
    schedule.evaluateEveryEpochs = evaluation.everyEpochs
    schedule.threads = threads
    schedule.agreeEvery = reliability.agreeEvery
    schedule.verifyEvery = reliability.verifyEvery
    schedule.checkpointEverySteps = checkpoint.everySteps
    schedule.learningRate = learningRateSchedule
    schedule.clipNorm = optimizer.clipNorm
    schedule.averageDecay = optimizer.averageDecay
    schedule.isSharded = optimizer.sharded
    schedule.augmentation = augmentationSettings
    schedule.testTimeAugmentation = testTimeAugmentation
    schedule.compression = compression
    schedule.localSteps = localSteps
    schedule.earlyStoppingPatience = training.earlyStoppingPatience
    return schedule
  }
}
