import Arguments
import Checkpoints
import Communication
import Configuration
import Failures

/// The settings of a training: those of the command line, and where it goes on with a run those of that run below them.
///
/// A run that goes on takes the `configuration.yaml` of its folder where the command line names no file, so that
/// `--run-dir DIR --resume auto` is enough. Of several ranks rank 0 reads it, since others may not see the folder.
struct RunSettings: Sendable {
  /// As far as this process can tell by itself.
  let settings: Settings
  /// The file that they begin with, if any.
  let file: String?
  /// Where they are from, in words.
  let origin: String
  private let run: RunDirectory?
  private let overrides: [String]

  init(_ arguments: ParsedArguments) throws(Failure) {
    overrides = arguments.overrides
    run = arguments[SettingsArguments.config] == nil ? Self.run(arguments) : nil
    if let run, let text = try Self.text(of: run) {
      settings = try SettingsLoader.load(text: text, named: run.configuration, overrides: overrides)
      (file, origin) = (run.configuration, SettingsArguments.origin(run.configuration, overrides))
    } else {
      (settings, file, origin) = try SettingsArguments.load(arguments)
    }
  }

  /// The same settings on every rank: where they depend on a run's folder, as rank 0 sees it.
  ///
  /// Every rank has to call it.
  func shared(on communicator: any Communicator) throws(Failure) -> (Settings, origin: String) {
    guard let run, communicator.size > 1 else { return (settings, origin) }
    let phase = Phase("sharing of the run's settings")
    let text = Array((communicator.rank == 0 ? try Self.text(of: run) ?? "" : "").utf8)
    let shared = try communicator.broadcast(text, phase: phase)
    guard !shared.isEmpty else { return (settings, origin) }
    return (
      try SettingsLoader.load(
        text: String(decoding: shared, as: UTF8.self), named: run.configuration, overrides: overrides),
      SettingsArguments.origin(run.configuration, overrides)
    )
  }

  /// The run that goes on, as far as the command line tells; nil where one begins.
  private static func run(_ arguments: ParsedArguments) -> RunDirectory? {
    guard let resume = arguments[TrainCommand.resume] else { return nil }
    if resume == "auto" { return arguments[TrainCommand.folder].map { RunDirectory(path: $0) } }
    let names = ("./" + resume).split(separator: "/", omittingEmptySubsequences: false).dropLast()
    guard names.last == "checkpoints" else { return nil }
    let folder = names.dropLast().joined(separator: "/")
    return RunDirectory(path: resume.hasPrefix("/") ? String(folder.dropFirst(2)) : folder)
  }

  /// Nil where the folder holds no settings, or no checkpoint to go on from: a run then begins.
  private static func text(of run: RunDirectory) throws(Failure) -> String? {
    guard try CheckpointStore(folder: run.checkpoints).steps().last != nil else { return nil }
    do throws(Failure) {
      return String(decoding: try SmallFile.read(run.configuration, upTo: SettingsLoader.maximumSize), as: UTF8.self)
    } catch {
      guard error.code != .noInput else { return nil }
      throw error
    }
  }
}
