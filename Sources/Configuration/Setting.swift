/// One row of the table of settings.
public struct Setting: Sendable {
  /// What a value has to be.
  public enum Kind: Sendable, Equatable {
    case integer(ClosedRange<Int>)
    case number(Bounds)
    case choice([String])
    case boolean
    /// A file or folder, or null.
    case path
    /// A list that is not empty, whose elements lie in the range.
    case integers(ClosedRange<Int>)
  }

  /// On what a setting bears, and so what has to agree.
  public enum Scope: Sendable, Equatable {
    /// Enters the arithmetic: another value gives other bits.
    case arithmetic
    /// Has to be the same on every rank, but another value leaves the bits of a step as they are.
    case job
    /// Each process may have its own value.
    case process
  }

  /// As in the file, with the section: "training.batch".
  public let key: String
  public let kind: Kind
  public let scope: Scope
  /// One line, with units.
  public let documentation: String

  /// The value in the form in which the file has it, the same for equal values: "100", "[1, 2]", "0.5", "book", "null".
  let text: @Sendable (Settings) -> String
  /// Takes the value of a node into the settings, or says why it cannot be the value of this one.
  let assign: @Sendable (YAMLNode, inout Settings) throws(ValueMismatch) -> Void

  /// The part of the key before the dot, "" where there is none.
  var section: String { key.firstIndex(of: ".").map { String(key[..<$0]) } ?? "" }
  /// The part of the key after the dot.
  var name: String { key.firstIndex(of: ".").map { String(key[key.index(after: $0)...]) } ?? key }
  /// What the file would have for these settings.
  public func value(in settings: Settings) -> String { text(settings) }
  /// What the file would have for the default.
  public var defaultText: String { text(Settings()) }
}

/// Why a node cannot be the value of a setting; what a setting is called and where the node stands is said by whoever
/// knows.
struct ValueMismatch: Error {
  /// Completes a sentence that begins with the key: "must be an integer, but is the text "ten"".
  let reason: String
  let remedy: String
  /// The line of the offending node, counted from 1.
  let line: Int
}

/// Limits of a number, each within or without the range.
public struct Bounds: Sendable, Equatable, CustomStringConvertible {
  public let lower: Double
  public let upper: Double
  public let includesLower: Bool
  public let includesUpper: Bool

  private init(_ lower: Double, _ upper: Double, includesLower: Bool, includesUpper: Bool) {
    self.lower = lower
    self.upper = upper
    self.includesLower = includesLower
    self.includesUpper = includesUpper
  }

  public init(from lower: Double, to upper: Double) {
    self.init(lower, upper, includesLower: true, includesUpper: true)
  }

  public init(from lower: Double, below upper: Double) {
    self.init(lower, upper, includesLower: true, includesUpper: false)
  }

  public init(above lower: Double, to upper: Double) {
    self.init(lower, upper, includesLower: false, includesUpper: true)
  }

  /// False for what is not a number.
  public func contains(_ value: Double) -> Bool {
    (includesLower ? value >= lower : value > lower) && (includesUpper ? value <= upper : value < upper)
  }

  public var description: String {
    let from = (includesLower ? "at least " : "above ") + YAMLText.number(lower)
    let to = (includesUpper ? "at most " : "below ") + YAMLText.number(upper)
    return "\(from) and \(to)"
  }
}
