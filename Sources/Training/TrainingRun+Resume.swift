import Checkpoints
import Configuration
import Failures
import Reporting

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

extension TrainingRun {
  /// From where a run goes on.
  public enum Resume: Equatable, Sendable, CustomStringConvertible {
    /// The newest good checkpoint of the run's folder, or the beginning where there is none.
    case newest
    /// A checkpoint's file.
    case file(String)

    public var description: String {
      switch self {
      case .newest: "auto"
      case .file(let path): path
      }
    }
  }

  /// Brings rank 0's trainer to where the run goes on.
  ///
  /// - Returns: the file it goes on from; nil at the beginning.
  /// - Throws: `.cannotCreate` where the folder holds checkpoints and the run should begin; `.configuration` where a
  ///   setting that enters the arithmetic has changed; what is wrong with the file.
  func takeUp(_ trainer: Trainer, _ store: CheckpointStore, _ files: RunDirectory) throws(Failure) -> String? {
    let last = try store.steps().last
    let found: (checkpoint: Checkpoint, path: String)?
    switch resume {
    case nil:
      guard last == nil else {
        throw Failure(
          .cannotCreate, "\(store.folder): there are checkpoints of an earlier run, up to step \(last ?? 0)",
          remedy: "choose another --run-dir, or go on with it: \(commandToGoOn(files))")
      }
      return nil
    case .newest:
      found = try store.newest(warn: warn)
      if found == nil {
        warn("\(store.folder): there is no \(last == nil ? "" : "good ")checkpoint; the run begins afresh")
      }
    case .file(let path):
      found = (try Checkpoint(reading: path), path)
    }
    guard let (checkpoint, path) = found else { return nil }
    let changes = try changes(since: checkpoint, of: path, stepsPerEpoch: trainer.stepsPerEpoch)
    if !changes.isEmpty {
      let list = changes.joined(separator: ", ")
      guard allowsChanges else {
        throw Failure(
          .configuration, "\(path): the run would not go on as it began: \(list)",
          remedy: "set what it had, or ask for the change: --allow-changes")
      }
      // Later checkpoints are of the run as it was: mixed with those of the changed one nobody could tell them apart.
      guard last ?? 0 <= checkpoint.position.step else {
        throw Failure(
          .cannotCreate,
          "\(store.folder): there are checkpoints up to step \(last ?? 0), and a changed run would begin at "
            + "\(checkpoint.position.step)", remedy: "choose another --run-dir")
      }
      warn("\(path): the run goes on with changes: \(list)")
    }
    try trainer.restore(checkpoint, from: path, isChanged: !changes.isEmpty)
    return path
  }

  /// The command that goes on with the run of this folder.
  func commandToGoOn(_ files: RunDirectory) -> String {
    "\(command) --run-dir \(ShellText.quoted(files.path)) --resume auto"
  }

  /// The settings that leave the bits alone and are others than the run has had, in words; nil where there are none.
  var changedJob: String? {
    guard let resumedSettings else { return nil }
    let changes = settings.differences(from: resumedSettings, in: [.job, .process])
    return changes.isEmpty
      ? nil : changes.map { "\($0.key) is \($0.value) and was \($0.otherValue)" }.joined(separator: ", ")
  }

  private func changes(
    since checkpoint: Checkpoint, of path: String, stepsPerEpoch: Int
  ) throws(Failure) -> [String] {
    let stored = try SettingsLoader.load(stored: checkpoint.configuration, in: path)
    var changes = settings.differences(from: stored, in: [.arithmetic])
      .map { "\($0.key) is \($0.value) and was \($0.otherValue)" }
    let position = checkpoint.position
    if changes.isEmpty, Checkpoint.Position(step: position.step, stepsPerEpoch: stepsPerEpoch) != position {
      changes.append("an epoch has \(stepsPerEpoch) steps here, and had another number: the data are others")
    }
    return changes
  }

  func warn(_ text: String) {
    let name = program.split(separator: " ").first ?? ""
    TextOutput(descriptor: STDERR_FILENO, name: "standard error", format: messages)
      .writeLine("\(name): \(text)", level: .warning)
  }
}
