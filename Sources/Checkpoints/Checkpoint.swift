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
  /// In numeric order.
  public let weights: [Tensor]
  /// Running mean of the gradients and of their squares, one of each weight's name and shape, in the same order.
  public let firstMoments: [Tensor]
  public let secondMoments: [Tensor]

  /// - Parameters:
  ///   - weights: in any order; the moments have the same names and shapes.
  public init(
    position: Position, seed: UInt64, configuration: String, weights: [Tensor], firstMoments: [Tensor],
    secondMoments: [Tensor]
  ) {
    self.position = position
    self.seed = seed
    self.configuration = configuration
    self.weights = weights.sorted(by: Tensor.inNumericOrder)
    self.firstMoments = firstMoments.sorted(by: Tensor.inNumericOrder)
    self.secondMoments = secondMoments.sorted(by: Tensor.inNumericOrder)
  }

  public var weightsDigest: Digest { WeightsDigest.of(weights) }

  /// SHA-256 over the weights, the first and the second moments, each as in the weights digest, and the step as a
  /// little-endian integer of 64 bits.
  public var stateDigest: Digest {
    var hash = SHA256()
    for tensor in weights + firstMoments + secondMoments { tensor.values.withUnsafeBytes { hash.update($0) } }
    withUnsafeBytes(of: UInt64(position.step).littleEndian) { hash.update($0) }
    return hash.finalize()
  }
}

// MARK: - As a file

extension Checkpoint {
  static let formatVersion = "1"
  static let firstMomentSuffix = ".first_moment"
  static let secondMomentSuffix = ".second_moment"

  /// The keys of the metadata. They are part of the file's format.
  enum Key {
    static let format = "checkpoint_format"
    static let step = "step"
    static let epoch = "epoch"
    static let batch = "batch"
    static let seed = "seed"
    static let configuration = "configuration"
    static let weightsDigest = "weights_digest"
    static let stateDigest = "state_digest"
    /// SHA-256 over the whole file, with this text's 64 digits as zeros.
    static let checksum = "checksum"
  }

  /// As it is stored, its checksum included.
  var file: SafetensorsFile {
    func renamed(_ tensors: [Tensor], _ suffix: String) -> [Tensor] {
      tensors.map { Tensor(name: $0.name + suffix, shape: $0.shape, values: $0.values) }
    }
    return SafetensorsFile(
      tensors: weights + renamed(firstMoments, Self.firstMomentSuffix)
        + renamed(secondMoments, Self.secondMomentSuffix),
      metadata: [
        Key.format: Self.formatVersion, Key.step: "\(position.step)", Key.epoch: "\(position.epoch)",
        Key.batch: "\(position.batch)", Key.seed: "\(seed)", Key.configuration: configuration,
        Key.weightsDigest: weightsDigest.hexadecimal, Key.stateDigest: stateDigest.hexadecimal,
      ]
    ).withChecksum
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
    func moments(_ suffix: String) -> [Tensor] {
      file.tensors.filter { $0.name.hasSuffix(suffix) }
        .map { Tensor(name: String($0.name.dropLast(suffix.count)), shape: $0.shape, values: $0.values) }
    }
    self.init(
      position: Position(step: try number(Key.step), epoch: try number(Key.epoch), batch: try number(Key.batch)),
      seed: seed, configuration: configuration, weights: file.withoutMoments.tensors,
      firstMoments: moments(Self.firstMomentSuffix), secondMoments: moments(Self.secondMomentSuffix))
    for tensors in [firstMoments, secondMoments] {
      guard tensors.map(\.name) == weights.map(\.name), tensors.map(\.shape) == weights.map(\.shape) else {
        throw SafetensorsFile.damaged(path, "its moments are not those of its weights")
      }
    }
  }
}
