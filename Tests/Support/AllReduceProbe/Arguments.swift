import Failures

/// A fault that one rank is to have in the second reduction.
struct Fault: Sendable {
  enum Kind: String {
    /// Computing a gradient throws.
    case failing
    /// The process is stopped by a signal.
    case stopped
    /// The process exits with code 0 and says nothing.
    case exiting
    /// The rank is done and leaves, while the others still reduce.
    case leaving
    /// The rank agrees on another digest. (Before any reduction.)
    case differing
    /// The rank ends the job.
    case aborting
    /// The rank sends less than the others expect.
    case short
  }

  let kind: Kind
  let rank: Int
}

/// `--leaves 20,7 --count 1000 --workers 1 --timeout 10 --replicas 3 --fault failing:1`
struct Arguments: Sendable {
  var leaves = [20]
  var count = 1000
  var workers = 1
  var timeout = Duration.seconds(30)
  var replicas: Int?
  var fault: Fault?

  init(_ words: some Collection<String>) throws(Failure) {
    var rest = words[...]
    while let key = rest.popFirst() {
      guard let value = rest.popFirst() else {
        throw Failure(.usage, "\(key) has no value", remedy: "give one")
      }
      let number = Int(value)
      switch (key, number) {
      case ("--leaves", _): leaves = value.split(separator: ",").compactMap { Int($0) }
      case ("--count", let number?): count = number
      case ("--workers", let number?): workers = number
      case ("--timeout", let number?): timeout = .seconds(number)
      case ("--replicas", let number?): replicas = number
      case ("--fault", _):
        let parts = value.split(separator: ":").map(String.init)
        guard parts.count == 2, let kind = Fault.Kind(rawValue: parts[0]), let rank = Int(parts[1]) else {
          throw Failure(.usage, "no such fault: \(value)", remedy: "see Fault.Kind")
        }
        fault = Fault(kind: kind, rank: rank)
      default: throw Failure(.usage, "not understood: \(key) \(value)", remedy: "see Arguments")
      }
    }
  }
}
