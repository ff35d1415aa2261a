import Failures

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// The checkpoints of a run: `step-00001200.safetensors` and the like in a folder, and which of them is the best.
public struct CheckpointStore: Sendable {
  /// The folder. It is made when the first checkpoint is written.
  public let folder: String

  /// The checkpoint with the fewest errors so far.
  struct Best: Equatable, Sendable {
    let step: Int
    let errors: Int
    let samples: Int
  }

  /// What the checkpoints of a run are compared by. The names are part of `best.json`.
  public enum Criterion: String, CaseIterable, Sendable { case test, validation }

  private static let prefix = "step-"
  private static let suffix = ".safetensors"

  public init(folder: String) { self.folder = folder }

  public func path(ofStep step: Int) -> String {
    let digits = String(step)
    return "\(folder)/\(Self.prefix)\(String(repeating: "0", count: max(0, 8 - digits.count)))\(digits)\(Self.suffix)"
  }

  /// The steps of the files that are there, in rising order, whatever is in them.
  ///
  /// - Throws: `.noPermission` or `.inputOutput` where the folder is there and cannot be read.
  public func steps() throws(Failure) -> [Int] {
    try names().compactMap(step).sorted()
  }

  /// The newest checkpoint that is whole.
  ///
  /// - Parameter warn: is told of each newer one that is not, in a sentence.
  /// - Returns: nil where there is none.
  /// - Throws: where a file cannot be read for another reason than its content.
  public func newest(warn: (String) -> Void) throws(Failure) -> (checkpoint: Checkpoint, path: String)? {
    let steps = try steps()
    for step in steps.reversed() {
      let path = path(ofStep: step)
      do throws(Failure) {
        return (try Checkpoint(reading: path), path)
      } catch {
        guard error.code == .badData else { throw error }
        warn(step == steps.first ? error.cause : "\(error.cause); the one before it is taken")
      }
    }
    return nil
  }

  /// Writes a checkpoint, whole or not at all.
  public func write(_ checkpoint: Checkpoint) throws(Failure) {
    try RunDirectory.makeFolders(folder)
    try checkpoint.write(to: path(ofStep: checkpoint.position.step))
  }

  /// Removes all but the newest and the best.
  ///
  /// - Parameters:
  ///   - keep: how many of the newest stay.
  ///   - step: later ones are not of this run's making yet and stay.
  public func prune(keep: Int, upTo step: Int) throws(Failure) {
    let best = best()?.step
    for old in try steps().filter({ $0 <= step }).dropLast(keep) where old != best {
      let path = path(ofStep: old)
      guard unlink(path) == 0 || errno == ENOENT else {
        throw Failure(
          .inputOutput, "\(path): an old checkpoint cannot be removed: \(String(cString: strerror(errno)))",
          remedy: "give yourself the right to, or set checkpoint.keep to more")
      }
    }
  }

  /// Removes what a job that was killed has left half written. Nobody else may be writing here.
  public func removeTemporaryFiles() throws(Failure) {
    for name in try names() where name.hasPrefix(".dtrain-") && name.hasSuffix(".temporary") {
      unlink("\(folder)/\(name)")
    }
  }

  private func step(of name: String) -> Int? {
    guard name.hasPrefix(Self.prefix), name.hasSuffix(Self.suffix) else { return nil }
    let digits = name.dropFirst(Self.prefix.count).dropLast(Self.suffix.count)
    guard digits.utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }), let step = Int(digits),
      path(ofStep: step) == "\(folder)/\(name)"
    else { return nil }
    return step
  }

  private func names() throws(Failure) -> [String] {
    guard let directory = opendir(folder) else {
      let number = errno
      if number == ENOENT { return [] }
      throw Failure.reading(folder, number)
    }
    defer { closedir(directory) }
    var names: [String] = []
    while let entry = readdir(directory) {
      names.append(
        withUnsafePointer(to: &entry.pointee.d_name) { name in
          name.withMemoryRebound(to: CChar.self, capacity: MemoryLayout.size(ofValue: name.pointee)) {
            String(cString: $0)
          }
        })
    }
    return names
  }
}

// MARK: - The best

extension CheckpointStore {
  private var bestFile: String { folder + "/best.json" }

  /// Notes the checkpoint of a step as the best, if it is there and better than the one before.
  ///
  /// - Parameters:
  ///   - errors: of the samples that it was evaluated on; of equals the first stays the best.
  ///   - samples: counts over different numbers of samples are not compared: the newer is taken.
  public func noteResult(step: Int, errors: Int, samples: Int, by criterion: Criterion = .test) throws(Failure) {
    guard access(path(ofStep: step), F_OK) == 0 else { return }
    if let best = best(), best.samples == samples, best.errors <= errors { return }
    let name = criterion.rawValue
    try AtomicFile.write(
      "{\"step\":\(step),\"\(name)_errors\":\(errors),\"\(name)_samples\":\(samples)}\n", to: bestFile)
  }

  /// The step of the checkpoint with the fewest errors; nil where none was noted.
  public var bestStep: Int? { best()?.step }

  private func best() -> Best? {
    guard let bytes = try? SmallFile.read(bestFile) else { return nil }
    var scanner = JSONScanner(bytes)
    var fields: [String: Int] = [:]
    do throws(JSONProblem) {
      try scanner.object { (name, scanner) throws(JSONProblem) in fields[name] = try scanner.unsignedInteger() }
      try scanner.end()
    } catch {
      return nil
    }
    func number(_ name: String) -> Int? {
      Criterion.allCases.lazy.compactMap { fields["\($0.rawValue)_\(name)"] }.first
    }
    guard let step = fields["step"], let errors = number("errors"), let samples = number("samples"),
      access(path(ofStep: step), F_OK) == 0
    else { return nil }
    return Best(step: step, errors: errors, samples: samples)
  }
}
