import Checkpoints
import Communication
import Configuration
import Failures

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// The settings that a run has left in its folder, from which it goes on.
struct RunConfiguration: Equatable, Sendable {
  /// The file's path.
  let path: String
  let text: String

  private init(path: String, text: String) {
    self.path = path
    self.text = text
  }

  /// Nil where the folder holds none.
  init?(of folder: RunDirectory) throws(Failure) {
    path = folder.configuration
    guard access(path, F_OK) == 0 else { return nil }
    text = try SettingsLoader.text(of: path)
  }

  func settings(overrides: [String] = []) throws(Failure) -> Settings {
    try SettingsLoader.load(text: text, named: path, overrides: overrides)
  }

  /// What rank 0 has found in the folder, on every rank: it alone needs to see the folder. Every rank has to call it.
  static func ofRankZero(
    _ own: RunConfiguration?, of folder: RunDirectory, on communicator: any Communicator
  ) throws(Failure) -> RunConfiguration? {
    let text = try communicator.broadcast(
      Array((own?.text ?? "").utf8), phase: Phase("handing on of the run's settings"))
    return text.isEmpty
      ? nil : RunConfiguration(path: folder.configuration, text: String(decoding: text, as: UTF8.self))
  }
}
