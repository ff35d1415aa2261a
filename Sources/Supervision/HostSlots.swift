import Failures
import Launching

/// A host, and how many ranks mpirun is to start there at most.
public struct HostSlots: Equatable, Sendable {
  public let host: String
  public let slots: Int

  public init(host: String, slots: Int) {
    self.host = host
    self.slots = slots
  }

  /// As `mpirun --host` takes it.
  var argument: String { "\(host):\(slots)" }

  /// The hosts of a file.
  ///
  /// - Parameter cores: the slots of a host for which the file does not say.
  /// - Throws: `.usage` where the file says more than `mpirun --host` can be told.
  public static func of(_ file: Hostfile, cores: Int) throws(Failure) -> [HostSlots] {
    if let host = file.hosts.first(where: \.hasLogin) {
      throw Failure(
        .usage, "launch does not hand on the user or port that the hostfile has for \(host.name)",
        remedy: "write them into ~/.ssh/config (User, Port), and the host's name alone into the hostfile")
    }
    return file.hosts.map { HostSlots(host: $0.name, slots: $0.slots ?? cores) }
  }
}
