import Checkpoints
import Failures

/// The file that says on which hosts ranks may run, as Open MPI reads it: a host a line, `NAME [slots=N] [max_slots=N]`;
/// `#` begins a comment.
///
/// What mpirun refuses is refused here too, with the line. Source: mpirun(1), "Specifying Host Nodes", and what mpirun
/// 4.1 makes of such files.
public struct Hostfile: Equatable, Sendable {
  public struct Host: Equatable, Sendable {
    public let name: String
    /// How many ranks it takes; nil where the file does not say, and the host's cores count.
    public fileprivate(set) var slots: Int?
    /// Whether the file also says as whom, or at which port, ssh logs in there.
    public fileprivate(set) var hasLogin: Bool

    public init(name: String, slots: Int?, hasLogin: Bool = false) {
      self.name = name
      self.slots = slots
      self.hasLogin = hasLogin
    }
  }

  /// In the file's order, each once.
  public let hosts: [Host]

  /// The most slots of a host.
  static let largest = 65_536
  /// In bytes.
  private static let largestFile = 1 << 20

  /// - Throws: `.noInput` and the like where the file cannot be read; else as `init(text:name:)`.
  public init(reading path: String) throws(Failure) {
    let bytes = try SmallFile.read(path, upTo: Self.largestFile)
    guard bytes.count < Self.largestFile, let text = String(validating: bytes, as: UTF8.self) else {
      throw Failure(.badData, "\(path) is no text of hosts", remedy: "write a line 'NAME slots=N' for each host")
    }
    try self.init(text: text, name: path)
  }

  /// - Parameter name: what the file is called in messages.
  /// - Throws: `.badData` that names the line, or that there is no host.
  public init(text: String, name: String) throws(Failure) {
    var hosts: [Host] = []
    var places: [String: Int] = [:]
    let lines = text.split(omittingEmptySubsequences: false) { $0 == "\n" || $0 == "\r\n" }
    for (index, line) in lines.enumerated() {
      let reading = HostfileLine(line, place: "\(name):\(index + 1)")
      guard let host = try reading.host() else { continue }
      guard let known = places[host.name] else {
        places[host.name] = hosts.count
        hosts.append(host)
        continue
      }
      // A scheduler's file names a host once a slot.
      guard host.slots == nil else {
        throw Failure(
          .badData, "\(name):\(index + 1): \(host.name) has slots in an earlier line already",
          remedy: "give a host one line with all its slots")
      }
      hosts[known].slots = min(Self.largest, (hosts[known].slots ?? 1) + 1)
      hosts[known].hasLogin = hosts[known].hasLogin || host.hasLogin
    }
    guard !hosts.isEmpty else {
      throw Failure(.badData, "\(name) names no host", remedy: "write a line 'NAME slots=N' for each")
    }
    self.hosts = hosts
  }
}

/// A line of the file, word by word.
private struct HostfileLine {
  private var words: [Substring] = []
  private let place: String

  private static let slots = ["slots", "cpu", "count"]
  private static let maximum = ["max_slots", "max-slots", "slots_max", "slots-max"]
  private static let login = ["username", "user_name", "user-name", "port"]

  init(_ line: Substring, place: String) {
    self.place = place
    for word in line.prefix(while: { $0 != "#" }).split(whereSeparator: { $0 == " " || $0 == "\t" }) {
      // There may be blanks around the equals sign.
      if let last = words.last, words.count > 1, word.hasPrefix("=") || last.hasSuffix("=") {
        words[words.count - 1] = last + word
      } else {
        words.append(word)
      }
    }
  }

  /// - Returns: nil for a line without words.
  func host() throws(Failure) -> Hostfile.Host? {
    guard let first = words.first else { return nil }
    let parts = first.split(separator: "@", maxSplits: 1, omittingEmptySubsequences: false)
    guard parts.allSatisfy({ $0.first != "-" && !$0.isEmpty && $0.unicodeScalars.allSatisfy(Self.isOfName) }) else {
      throw Failure(
        .badData, "\(place): '\(printable(String(first)))' is no host's name",
        remedy: "a name or address has letters, digits, dots, hyphens and underscores; the line is 'NAME slots=N'")
    }
    var (slots, maximum): (Int?, Int?) = (nil, nil)
    var hasLogin = parts.count == 2
    for word in words.dropFirst() {
      let (key, value) = try Self.parts(of: word, place)
      if Self.slots.contains(key) {
        guard slots == nil else {
          throw Failure(.badData, "\(place): slots is given twice", remedy: "leave one of them out")
        }
        slots = try number(value, word)
      } else if Self.maximum.contains(key) {
        maximum = try number(value, word)
      } else {
        hasLogin = true
      }
    }
    if let slots, let maximum, maximum < slots {
      throw Failure(
        .badData, "\(place): max_slots=\(maximum) is less than slots=\(slots)", remedy: "leave max_slots out")
    }
    return Hostfile.Host(name: String(parts.last ?? first), slots: slots ?? maximum, hasLogin: hasLogin)
  }

  private static func parts(of word: Substring, _ place: String) throws(Failure) -> (key: String, value: Substring) {
    let parts = word.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
    let (key, known) = (String(parts[0]), slots + maximum + login)
    guard parts.count == 2, known.contains(key), !parts[1].isEmpty else {
      let near = Spelling.nearest(to: key, in: known).map { "did you mean \($0)=N? " } ?? ""
      throw Failure(
        .badData, "\(place): '\(printable(String(word)))' is not understood", remedy: near + "A line is 'NAME slots=N'")
    }
    return (key, parts[1])
  }

  private func number(_ text: Substring, _ word: Substring) throws(Failure) -> Int {
    guard let number = Int(text), (1...Hostfile.largest).contains(number) else {
      throw Failure(
        .badData, "\(place): '\(printable(String(word)))' does not say a number of slots",
        remedy: "write slots=N, N from 1 to \(Hostfile.largest)")
    }
    return number
  }

  private static func isOfName(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar {
    case "a"..."z", "A"..."Z", "0"..."9", ".", "-", "_": true
    default: false
    }
  }
}
