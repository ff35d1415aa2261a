/// All that a run can be told, by section. What each setting means, its range and its unit stand in `SettingsCatalog`;
/// the values here are the defaults.
public struct Settings: Equatable, Sendable {
  public var seed: UInt64 = 0
  public var model = Model()
  public var dataset = Dataset()
  public var augmentation = Augmentation()
  public var training = Training()
  public var evaluation = Evaluation()
  public var optimizer = Optimizer()
  public var checkpoint = Checkpoint()
  public var reporting = Reporting()
  public var communication = Communication()
  public var reliability = Reliability()

  public init() {}

  public struct Model: Equatable, Sendable {
    public var name = Name.deepconvnet
    public var filters = [16, 16, 32, 32, 64, 64]
    public var filterSizes = [3, 3, 3, 3, 3, 3]
    public var paddings = [1, 1, 1, 2, 1, 1]
    public var strides = [1, 1, 1, 1, 1, 1]
    public var poolingInterval = 2
    public var hiddenSize = 50
    public var outputSize = 10
    public var dropoutRatio = 0.5
    public var dropout = Dropout.book
    public var kernels = Kernels.byShape
    public var precision = Precision.float32

    public enum Name: String, CaseIterable, Sendable { case deepconvnet }
    public enum Precision: String, CaseIterable, Sendable { case float32, float16, bfloat16 }
    public enum Dropout: String, CaseIterable, Sendable { case book, inverted }
    public enum Kernels: String, CaseIterable, Sendable {
      case byShape = "by_shape"
      case direct
    }
  }

  public struct Dataset: Equatable, Sendable {
    public var name = Name.mnist
    public var path: String?
    public var trainingSamples = 0
    public var testSamples = 0
    public var validationSamples = 0

    public enum Name: String, CaseIterable, Sendable {
      case mnist
      case fashionMNIST = "fashion-mnist"
      case syntheticDigits = "synthetic-digits"
    }
  }

  public struct Augmentation: Equatable, Sendable {
    public var rotation = 0.0
    public var shift = 0.0
    public var scale = 0.0
    public var shear = 0.0
    public var elastic = 0.0
    public var elasticSmoothness = 4.0
    public var crop = 0
    public var flip = 0.0
    public var brightness = 0.0
    public var contrast = 0.0
    public var noise = 0.0
    public var erasing = 0.0

    /// Whether a copy of an image differs from it by more than an erased part.
    var isMoreThanErasing: Bool {
      var rest = self
      (rest.erasing, rest.elasticSmoothness) = (0, Augmentation().elasticSmoothness)
      return rest != Augmentation()
    }
  }

  public struct Training: Equatable, Sendable {
    public var epochs = 20
    public var batch = 100
    public var microbatch = 5
    public var labelSmoothing = 0.0
    public var earlyStoppingPatience = 0
    public var threads = 0
  }

  public struct Evaluation: Equatable, Sendable {
    public var microbatch = 100
    public var everyEpochs = 1
    public var views = 1
  }

  public struct Optimizer: Equatable, Sendable {
    public var name = Name.adam
    public var learningRate = 0.001
    public var beta1 = 0.9
    public var beta2 = 0.999
    public var epsilon = 1e-7
    public var form = Form.book
    public var momentum = 0.9
    public var nesterov = false
    public var weightDecay = 0.0
    public var clipNorm = 0.0
    public var averageDecay = 0.0
    public var sharded = false
    public var schedule = Schedule.constant
    public var scheduleEpochs = 0
    public var warmupEpochs = 0
    public var warmupSteps = 0
    public var finalRate = 0.0
    public var decayFactor = 0.1
    public var decayEpochs = 10
    public var batchScaling = BatchScaling.none
    public var referenceBatch = 100

    public enum Name: String, CaseIterable, Sendable { case adam, sgd, lamb }
    public enum Schedule: String, CaseIterable, Sendable { case constant, step, cosine, linear }
    public enum BatchScaling: String, CaseIterable, Sendable {
      case none, linear
      case squareRoot = "square_root"
    }
    public enum Form: String, CaseIterable, Sendable { case book, common }
  }

  public struct Checkpoint: Equatable, Sendable {
    public var everySteps = 0
    public var everyEpochs = 1
    public var keep = 3
    public var keepBest = true
  }

  public struct Reporting: Equatable, Sendable {
    public var tensorboard = true
    public var everySteps = 10
  }

  public struct Communication: Equatable, Sendable {
    public var timeoutSeconds = 60.0
    public var compression = Compression.none
    public var compressionGroups = 4
    public var topKShare = 0.01
    public var localSteps = 1
    public var localGroups = 4

    public enum Compression: String, CaseIterable, Sendable {
      case none, float16, bfloat16
      case topK = "top-k"
      case int8
    }
  }

  public struct Reliability: Equatable, Sendable {
    public var agreeEvery = 100
    public var verifyEvery = 0
  }
}
