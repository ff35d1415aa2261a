import Digests
import Failures

/// The state of a run between two steps: all that it takes to go on to the same bits.
///
/// Holds nothing of ranks, hosts, time or folders, so that equal states are equal files.
public struct Checkpoint: Equatable, Sendable {
  /// Where in the run a state belongs.
  public struct Position: Equatable, Sendable {
    /// Steps of the optimizer made.
    public let step: Int
    /// Epochs completed.
    public let epoch: Int
    /// Batches made of the next epoch.
    public let batch: Int

    public init(step: Int, stepsPerEpoch: Int) {
      self.step = step
      (epoch, batch) = step.quotientAndRemainder(dividingBy: stepsPerEpoch)
    }

    init(step: Int, epoch: Int, batch: Int) {
      self.step = step
      self.epoch = epoch
      self.batch = batch
    }
  }

  public let position: Position
  public let seed: UInt64
  /// The settings that enter the arithmetic, as YAML.
  public let configuration: String
  /// The evaluation with the fewest validation errors so far; nil where there is no validation.
  public let best: Best?
  /// In numeric order.
  public let weights: [Tensor]
  /// What else is kept from step to step, in the order of the names.
  public let states: [State]

  /// One tensor for each weight, of its name and shape and in the same order.
  public struct State: Equatable, Sendable {
    /// The name of the average of the weights, which has the weights that a run evaluates.
    public static let averageName = "average"

    /// "first_moment": letters, digits and underscores. Part of the file's format: a tensor's name is the weight's, a dot, and this.
    public let name: String
    public let tensors: [Tensor]

    public init(name: String, tensors: [Tensor]) {
      self.name = name
      self.tensors = tensors
    }
  }

  /// An evaluation to compare later ones with.
  public struct Best: Equatable, Sendable {
    public let step: Int
    public let errors: Int

    public init(step: Int, errors: Int) {
      self.step = step
      self.errors = errors
    }
  }

  /// - Parameters:
  ///   - weights: in any order.
  ///   - states: in any order; their tensors have the weights' names and shapes.
  public init(
    position: Position, seed: UInt64, configuration: String, best: Best? = nil, weights: [Tensor], states: [State]
  ) {
    self.position = position
    self.seed = seed
    self.configuration = configuration
    self.best = best
    self.weights = weights.sorted(by: Tensor.inNumericOrder)
    self.states = states.map { State(name: $0.name, tensors: $0.tensors.sorted(by: Tensor.inNumericOrder)) }
      .sorted { $0.name < $1.name }
  }

  /// The tensors of a state; nil where the checkpoint has none of this name.
  public func state(named name: String) -> [Tensor]? { states.first { $0.name == name }?.tensors }

  public var weightsDigest: Digest { WeightsDigest.of(weights) }

  /// SHA-256 over the weights and the states, first and second moments for instance, each as in the weights digest, and
  /// the step as a little-endian integer of 64 bits.
  public var stateDigest: Digest {
    var hash = SHA256()
    for tensor in weights + states.flatMap(\.tensors) { tensor.values.withUnsafeBytes { hash.update($0) } }
    withUnsafeBytes(of: UInt64(position.step).littleEndian) { hash.update($0) }
    return hash.finalize()
  }
}

// MARK: - As a file

extension Checkpoint {
  static let formatVersion = "1"

  /// The keys of the metadata. They are part of the file's format.
  enum Key {
    static let format = "checkpoint_format"
    static let step = "step"
    static let epoch = "epoch"
    static let batch = "batch"
    static let seed = "seed"
    static let bestStep = "best_step"
    static let bestErrors = "best_errors"
    static let configuration = "configuration"
    static let weightsDigest = "weights_digest"
    static let stateDigest = "state_digest"
    /// SHA-256 over the whole file, with this text's 64 digits as zeros.
    static let checksum = "checksum"
  }

  /// As it is stored, its checksum included.
  var file: SafetensorsFile {
    let stateTensors = states.flatMap { state in
      state.tensors.map { Tensor(name: "\($0.name).\(state.name)", shape: $0.shape, values: $0.values) }
    }
    var metadata = [
      Key.format: Self.formatVersion, Key.step: "\(position.step)", Key.epoch: "\(position.epoch)",
      Key.batch: "\(position.batch)", Key.seed: "\(seed)", Key.configuration: configuration,
      Key.weightsDigest: weightsDigest.hexadecimal, Key.stateDigest: stateDigest.hexadecimal,
    ]
    if let best {
      metadata[Key.bestStep] = "\(best.step)"
      metadata[Key.bestErrors] = "\(best.errors)"
    }
    return SafetensorsFile(tensors: weights + stateTensors, metadata: metadata).withChecksum
  }

  /// Writes the file, whole or not at all.
  ///
  /// - Throws: as `SafetensorsFile.write(to:)` does.
  public func write(to path: String) throws(Failure) { try file.write(to: path) }

  /// Reads a file, and refuses it where one bit of it is another than was written.
  ///
  /// - Throws: as `SafetensorsFile.init(reading:)` does.
  public init(reading path: String) throws(Failure) {
    let (file, header) = try SafetensorsFile.read(path)
    guard let version = file.metadata[Key.format] else {
      throw Failure(
        .badData, "\(path): the file holds weights alone, and no checkpoint",
        remedy: "give a file of the checkpoints folder of a run")
    }
    guard version == Self.formatVersion else {
      throw Failure(
        .badData, "\(path): a checkpoint of format \(printable(version)), and only \(Self.formatVersion) is read",
        remedy: "use the version of dtrain that wrote it")
    }
    guard file.isUnaltered(header: header) else {
      throw SafetensorsFile.damaged(path, "its checksum does not hold")
    }
    func number(_ key: String) throws(Failure) -> Int {
      guard let value = file.metadata[key].flatMap({ Int($0) }), value >= 0 else {
        throw SafetensorsFile.damaged(path, "it does not say its \(key)")
      }
      return value
    }
    guard let configuration = file.configuration, let seed = file.metadata[Key.seed].flatMap({ UInt64($0) }) else {
      throw SafetensorsFile.damaged(path, "it does not say its configuration or seed")
    }
    var best: Best?
    if file.metadata[Key.bestStep] != nil || file.metadata[Key.bestErrors] != nil {
      best = Best(step: try number(Key.bestStep), errors: try number(Key.bestErrors))
    }
    self.init(
      position: Position(step: try number(Key.step), epoch: try number(Key.epoch), batch: try number(Key.batch)),
      seed: seed, configuration: configuration, best: best, weights: file.rawWeights.tensors,
      states: file.stateNames.map { State(name: $0, tensors: file.tensors(ofState: $0)) })
    for state in self.states {
      let tensors = state.tensors
      guard tensors.map(\.name) == weights.map(\.name), tensors.map(\.shape) == weights.map(\.shape) else {
        throw SafetensorsFile.damaged(path, "its tensors of \(printable(state.name)) are not those of its weights")
      }
    }
  }
}
