import Checkpoints
import Failures

/// A host, and how many ranks may run there.
public struct HostSlots: Equatable, Sendable {
  public let host: String
  public let slots: Int

  public init(host: String, slots: Int) {
    self.host = host
    self.slots = slots
  }

  /// As `mpirun --host` takes it.
  var argument: String { "\(host):\(slots)" }
}

/// The file that says on which hosts ranks may run: a line each, `NAME [slots=N]`, as Open MPI's; `#` begins a comment.
///
/// Without `slots` it is one rank. A host that is named again gets the slots of both lines.
public enum Hostfile {
  /// - Throws: `.noInput` and the like where the file cannot be read; `.badData` with file and line for what is no such
  ///   line, and where no host is named.
  public static func read(_ path: String) throws(Failure) -> [HostSlots] {
    let bytes = try SmallFile.read(path, upTo: largestFile)
    guard bytes.count < largestFile, let text = String(validating: bytes, as: UTF8.self) else {
      throw Failure(.badData, "\(path) is no text of hosts", remedy: "write a line 'NAME slots=N' for each host")
    }
    return try parse(text, named: path)
  }

  static func parse(_ text: String, named path: String) throws(Failure) -> [HostSlots] {
    var hosts: [HostSlots] = []
    let lines = text.split(omittingEmptySubsequences: false) { $0 == "\n" || $0 == "\r\n" }
    for (index, line) in lines.enumerated() {
      let content = line.prefix { $0 != "#" }
      let words = content.split { $0 == " " || $0 == "\t" }
      guard let name = words.first else { continue }
      let place = "\(path), line \(index + 1)"
      let host = try host(name, words.dropFirst(), place)
      if let known = hosts.firstIndex(where: { $0.host == host.host }) {
        hosts[known] = HostSlots(host: host.host, slots: min(largest, hosts[known].slots + host.slots))
      } else {
        hosts.append(host)
      }
    }
    guard !hosts.isEmpty else {
      throw Failure(.badData, "\(path) names no host", remedy: "write a line 'NAME slots=N' for each")
    }
    return hosts
  }

  /// The most slots of a host.
  private static let largest = 65_536
  /// In bytes.
  private static let largestFile = 1 << 20

  private static func host(
    _ name: Substring, _ words: ArraySlice<Substring>, _ place: String
  ) throws(Failure) -> HostSlots {
    guard name.unicodeScalars.allSatisfy(isOfName), name.first != "-" else {
      throw Failure(
        .badData, "\(place): '\(name)' is no host's name",
        remedy: "a name or address has letters, digits, dots, hyphens and underscores; the line is 'NAME slots=N'")
    }
    var slots: Int?
    for word in words {
      let parts = word.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      guard parts[0] == "slots" else {
        throw Failure(
          .badData, "\(place): '\(word)' is not understood",
          remedy: "a line is 'NAME slots=N', without blanks around the equals sign")
      }
      guard slots == nil else {
        throw Failure(.badData, "\(place): slots is given twice", remedy: "leave one of them out")
      }
      guard parts.count == 2, let number = Int(parts[1]), (1...largest).contains(number) else {
        throw Failure(
          .badData, "\(place): '\(word)' does not say a number of slots",
          remedy: "write slots=N, N from 1 to \(largest)")
      }
      slots = number
    }
    return HostSlots(host: String(name), slots: slots ?? 1)
  }

  private static func isOfName(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar {
    case "a"..."z", "A"..."Z", "0"..."9", ".", "-", "_": true
    default: false
    }
  }
}
