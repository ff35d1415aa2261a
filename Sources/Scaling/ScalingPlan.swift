import Configuration
import Failures

/// What `dtrain scale` is to measure.
public struct ScalingPlan: Sendable {
  public enum Kind: String, Sendable {
    /// The same global batch, whatever the number of ranks.
    case strong
    /// The same batch a rank: the global one grows with the ranks.
    case weak
  }

  public var kind: Kind
  /// The numbers of ranks, in the order in which a round takes them.
  public var ranks: [Int]
  public var rounds: Int
  /// How long training is measured in a round.
  public var secondsPerRound: Double
  public var settings: Settings
  /// As arguments of a command line: the file and what is changed of it.
  public var settingsArguments: [String]
  /// The share of the test images that training is to get right, in (0, 1); nil: no training.
  public var accuracy: Double?
  /// Where everything is written.
  public var folder: String
  /// Further options of mpirun.
  public var mpirunOptions: [String]
  /// What begins the program's own lines, its version, and its file.
  public var program: String
  public var version: String
  public var path: String

  public init(
    kind: Kind, ranks: [Int], rounds: Int, secondsPerRound: Double, settings: Settings, settingsArguments: [String],
    accuracy: Double?, folder: String, mpirunOptions: [String], program: String, version: String, path: String
  ) {
    self.kind = kind
    self.ranks = ranks
    self.rounds = rounds
    self.secondsPerRound = secondsPerRound
    self.settings = settings
    self.settingsArguments = settingsArguments
    self.accuracy = accuracy
    self.folder = folder
    self.mpirunOptions = mpirunOptions
    self.program = program
    self.version = version
    self.path = path
  }

  /// Samples of a step, over all ranks.
  public func batch(ranks: Int) -> Int { kind == .strong ? settings.training.batch : settings.training.batch * ranks }

  /// - Throws: `.configuration` where some ranks would have no microbatch: their time would tell nothing.
  public func validate() throws(Failure) {
    for count in ranks {
      let microbatches = (batch(ranks: count) + settings.training.microbatch - 1) / settings.training.microbatch
      guard microbatches < count else { continue }
      throw Failure(
        .configuration,
        "\(count) ranks share \(microbatches) microbatches (training.batch \(batch(ranks: count)), training.microbatch "
          + "\(settings.training.microbatch)), so some have none",
        remedy: "ask for fewer ranks, or set a larger batch or smaller microbatches; --weak gives each rank "
          + "its own batch")
    }
  }

  /// What every job of so many ranks is told of the settings.
  ///
  /// A rank has one thread unless the settings say otherwise, so that one rank is measured as one of several is.
  func arguments(ranks: Int) -> [String] {
    var arguments = settingsArguments
    if kind == .weak { arguments.append("training.batch=\(batch(ranks: ranks))") }
    if settings.training.threads == 0 { arguments.append("training.threads=1") }
    return arguments
  }
}
