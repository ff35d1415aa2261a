import Checkpoints
import Failures

/// The formats in which weights are exchanged with other programs, each known by the ending of a file's name.
public enum WeightsFormat: String, CaseIterable, Sendable {
  case safetensors
  /// NumPy's archive of arrays.
  case npz
  /// A Python pickle of a dict of NumPy arrays, the book's format.
  case pickle = "pkl"
  /// The whole network; written, not read.
  case onnx

  /// The format that a path's ending names; nil where it names none.
  public init?(ofPath path: String) {
    guard let dot = path.lastIndex(of: ".") else { return nil }
    self.init(rawValue: path[path.index(after: dot)...].lowercased())
  }
}

/// Files of weights of any of the formats.
public enum WeightsFile {
  /// Reads weights, under dtrain's names. A file whose ending names no other format is read as safetensors; of a
  /// checkpoint the weights are taken alone.
  ///
  /// Takes memory in proportion to the file's size (a deflated archive's: to what it is inflated to), and runs nothing
  /// that a file holds.
  ///
  /// - Throws: `.noInput`, `.noPermission`, `.inputOutput`, or `.badData` with what is wrong and at which byte;
  ///   `.usage` for an ONNX model.
  public static func read(_ path: String) throws(Failure) -> SafetensorsFile {
    let file: SafetensorsFile
    switch WeightsFormat(ofPath: path) {
    case .pickle:
      file = try tensors(of: path, kind: "a pickle of NumPy arrays") { (bytes) throws(FormatProblem) in
        try PickleReader.arrays(in: bytes)
      }
    case .npz:
      file = try tensors(of: path, kind: "an archive of NumPy arrays") { (bytes) throws(FormatProblem) in
        try NPZArchive.tensors(in: bytes)
      }
    case .onnx:
      throw Failure(
        .usage, "\(path): an ONNX model is written by dtrain, and not read",
        remedy: "give the weights that it was made of")
    case .safetensors, nil: file = try SafetensorsFile(weightsIn: path)
    }
    return SafetensorsFile(tensors: try ParameterNames.own(from: file.tensors, of: path), metadata: file.metadata)
  }

  private static func tensors(
    of path: String, kind: String, _ parse: ([UInt8]) throws(FormatProblem) -> [Tensor]
  ) throws(Failure) -> SafetensorsFile {
    let file = try InputFile(path)
    let bytes = try file.read(file.size, of: UInt8.self, at: 0)
    do {
      return SafetensorsFile(tensors: try parse(bytes), metadata: [:])
    } catch {
      throw error.failure(path, kind: kind)
    }
  }

  /// Writes the weights alone, whole or not at all, in the format that the path's ending names.
  ///
  /// - Parameters:
  ///   - weights: under dtrain's names. Step, epoch and configuration go into a safetensors file with them.
  ///   - source: where they are from, for messages.
  /// - Throws: `.usage` where the ending names no format of weights; `.badData` where the names are of no use for them;
  ///   what `AtomicFile` throws.
  public static func write(
    _ weights: SafetensorsFile, to path: String, names: ParameterNames, from source: String
  ) throws(Failure) {
    let tensors = try names.tensors(from: weights.tensors, of: source)
    guard tensors.reduce(0, { $0 + $1.values.count }) < 1 << 28 else {
      throw Failure(.badData, "\(source): more than 1 GiB of weights", remedy: "keep them as they are")
    }
    switch WeightsFormat(ofPath: path) {
    case .safetensors:
      // Loaders of PyTorch's world ask for the format.
      let kept = weights.metadata.filter { ["step", "epoch", "configuration"].contains($0.key) }
      let metadata = names == .pytorch ? kept.merging(["format": "pt"]) { first, _ in first } : kept
      try SafetensorsFile(tensors: tensors, metadata: metadata).write(to: path)
    case .npz: try write(NPZArchive.bytes(of: tensors), to: path)
    case .pickle: try write(PickleWriter.bytes(of: tensors), to: path)
    case .onnx, nil:
      throw Failure(
        .usage, "\(path): its ending names no format of weights", remedy: "end it in .safetensors, .npz or .pkl")
    }
  }

  static func write(_ bytes: [UInt8], to path: String) throws(Failure) {
    try AtomicFile.write(to: path) { (file) throws(Failure) in try file.append(bytes.span.bytes) }
  }
}

/// NumPy's `.npz`: a zip archive with one `.npy` file an array.
enum NPZArchive {
  private static let ending = ".npy"

  static func tensors(in bytes: [UInt8]) throws(FormatProblem) -> [Tensor] {
    let archive = try ZipReader(bytes)
    var names: Set<String> = []
    var tensors: [Tensor] = []
    for entry in archive.entries {
      guard entry.name.hasSuffix(ending), names.insert(entry.name).inserted else {
        throw FormatProblem(
          "\"\(printable(entry.name))\" is no .npy file, or is there twice", at: entry.range.lowerBound)
      }
      let content = try archive.contents(of: entry)
      do {
        tensors.append(try NPYFile.tensor(named: String(entry.name.dropLast(ending.count)), from: content))
      } catch {
        // Its offset is one in the array's own file.
        throw FormatProblem(
          "\(error.reason)\(error.offset.map { ", at byte \($0)" } ?? "") of \"\(printable(entry.name))\"",
          at: entry.range.lowerBound)
      }
    }
    return tensors
  }

  static func bytes(of tensors: [Tensor]) -> [UInt8] {
    var archive = ZipWriter()
    for tensor in tensors { archive.add(tensor.name + ending, NPYFile.bytes(of: tensor)) }
    return archive.finished()
  }
}
