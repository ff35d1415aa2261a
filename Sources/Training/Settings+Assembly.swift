import Checkpoints
import Communication
import Configuration
import Datasets
import Failures
import Models
import NeuralNetwork
import Optimizers

/// From settings to what they name.
extension Settings {
  /// - Throws: what `DatasetCatalog.open` throws.
  public func openDataset(_ subset: Subset) throws(Failure) -> any Datasets.Dataset {
    try DatasetCatalog.open(
      name: dataset.name.rawValue, path: dataset.path, subset: subset,
      limit: subset == .training ? dataset.trainingSamples : dataset.testSamples, classCount: model.outputSize)
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
      return try description.network(
        inputShape: FeatureShape(channels: shape.channels, height: shape.height, width: shape.width))
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

  /// - Parameter parameters: what it will update.
  public func makeOptimizer(for parameters: ParameterStore) -> Adam {
    var adam = Adam.Settings()
    adam.learningRate = optimizer.learningRate
    adam.beta1 = optimizer.beta1
    adam.beta2 = optimizer.beta2
    adam.epsilon = optimizer.epsilon
    adam.form = optimizer.form == .book ? .book : .common
    adam.weightDecay = optimizer.weightDecay
    return Adam(settings: adam, count: parameters.paddedCount)
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
    return schedule
  }
}
