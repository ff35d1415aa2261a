import Augmentation
import DataParallel
import Optimizers

extension Trainer {
  /// How long to train, in which pieces.
  public struct Schedule: Equatable, Sendable {
    /// Key of the samples' order, of dropout and of augmentation.
    public var seed: UInt64 = 0
    public var epochs = 20
    /// Ends the run after this many steps, in the middle of an epoch too.
    public var maximumSteps: Int?
    /// Samples a global batch, over all ranks.
    public var batch = 100
    /// Samples a leaf of the gradient tree.
    public var microbatch = 5
    /// Samples a leaf of the evaluation's tree.
    public var evaluationMicrobatch = 100
    /// Epochs from one evaluation to the next. The end of the run is always evaluated.
    public var evaluateEveryEpochs = 1
    /// Threads of each rank that compute microbatches side by side.
    public var threads = 1
    /// Steps from one comparison of the ranks' states to the next; 0 leaves those at which a checkpoint may be written.
    public var agreeEvery = 100
    /// Steps from one checkpoint to the next; 0 where the ends of epochs alone count.
    public var checkpointEverySteps = 0
    /// Steps from one verification of gradients to the next; 0 for none.
    public var verifyEvery = 0
    public var learningRate = LearningRateSchedule()
    /// The largest norm of a batch's gradient; 0 for any.
    public var clipNorm = 0.0
    /// Whether each rank updates a slice of the parameters, and keeps the optimizer's state of that alone.
    public var isSharded = false
    /// Of the moving average of the weights, which is evaluated in their place; 0 for none.
    public var averageDecay = 0.0
    public var augmentation = AugmentationSettings()
    /// How evaluations look at a sample; nil: at the image alone.
    public var testTimeAugmentation: TestTimeAugmentation?
    /// In which form gradients travel; nil: in float32.
    public var compression: Compression?
    /// How groups of microbatches train by themselves between averages; nil: no step is made without all gradients.
    public var localSteps: LocalSteps?
    /// Evaluations without fewer validation errors than ever before, after which the run ends; 0: it goes on.
    public var earlyStoppingPatience = 0

    public init() {}
  }
}
