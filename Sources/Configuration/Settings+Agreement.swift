import Digests

extension Settings {
  /// The settings that enter the arithmetic, in the form of the file. Equal texts promise equal bits, and the text names
  /// no folder, time, host or rank, so that it may go into the files of a run.
  public var arithmeticText: String { yaml(of: [.arithmetic]) }

  /// SHA-256 of `arithmeticText`.
  public var arithmeticDigest: Digest { SHA256.of(arithmeticText) }

  /// SHA-256 of all settings that have to be the same on every rank of a job.
  public var agreementDigest: Digest { SHA256.of(yaml(of: [.arithmetic, .job])) }

  /// A setting whose value is another one elsewhere.
  public struct Difference: Equatable, Sendable, CustomStringConvertible {
    public let key: String
    public let scope: Setting.Scope
    /// The value here, in the form of the file.
    public let value: String
    /// The value there.
    public let otherValue: String

    public var description: String { "\(key) is \(value) here and \(otherValue) there" }
  }

  /// The settings whose values are others there, in the table's order.
  public func differences(
    from other: Settings, in scopes: [Setting.Scope] = [.arithmetic, .job, .process]
  ) -> [Difference] {
    SettingsCatalog.settings.compactMap { setting in
      let (value, otherValue) = (setting.text(self), setting.text(other))
      guard scopes.contains(setting.scope), value != otherValue else { return nil }
      return Difference(key: setting.key, scope: setting.scope, value: value, otherValue: otherValue)
    }
  }
}
