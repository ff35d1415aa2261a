import Reporting

/// All that was measured, over all ranks. Rates count what the ranks do together.
public struct BenchmarkReport: Equatable, Sendable {
  /// What was measured, and where.
  public struct Subject: Equatable, Sendable {
    public var program: String
    public var processor: String
    /// Of the vectors that convolutions compute in.
    public var vectorBits: Int
    /// "4 MPI ranks".
    public var communicator: String
    public var hosts: [String]
    public var ranks: Int
    /// Computing threads, of all ranks together.
    public var threads: Int
    public var dataset: String
    public var datasetOrigin: String
    public var trainingSamples: Int
    public var testSamples: Int
    public var parameters: Int
    public var batch: Int
    public var microbatch: Int
    public var evaluationMicrobatch: Int
    /// The length of a measurement in a round.
    public var secondsPerRound: Double
  }

  public var subject: Subject
  /// Images a second.
  public var training = Rounds(.higher)
  public var inference = Rounds(.higher)
  /// Floating-point operations a second.
  public var peak = Rounds(.higher)
  /// Bytes a second, one thread a rank. A copy counts what is read and what is written.
  public var read = Rounds(.higher)
  public var copy = Rounds(.higher)
  public var layers: [LayerFigures] = []
  public var stages = StageFigures()
  /// Seconds of an all-reduce of one gradient a rank, nothing else going on.
  public var allReduce = Rounds(.lower)
  /// Seconds in which a word of each rank comes to all, as when they compare their states.
  public var agreement = Rounds(.lower)
  /// Of the slowest rank, from its process's start to the end of the first step; nil where the system does not tell.
  public var firstStepSeconds: Double?
  /// Of the process with the most of its own, after training and evaluating; nil where the system does not tell.
  public var memory: ProcessMemory?

  public init(subject: Subject) { self.subject = subject }

  /// Floating-point operations of one image.
  public var inferenceOperations: Int { layers.reduce(0) { $0 + $1.forwardOperations } }
  public var trainingOperations: Int { layers.reduce(0) { $0 + $1.forwardOperations + $1.backwardOperations } }

  public var trainingShareOfPeak: Double { training.best * Double(trainingOperations) / peak.best }
  public var inferenceShareOfPeak: Double { inference.best * Double(inferenceOperations) / peak.best }
  /// What one thread can do, in floating-point operations a second.
  public var peakOfAThread: Double { peak.best / Double(subject.threads) }

  /// Seconds to evaluate all test images.
  public var evaluationSeconds: Double { Double(subject.testSamples) / inference.best }

  /// Bytes that Adam moves a second: it reads four numbers a parameter and writes three.
  public var updateBytesPerSecond: Double { Double(28 * subject.parameters) / stages.update.best }
}
