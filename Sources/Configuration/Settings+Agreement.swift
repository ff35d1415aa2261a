import Digests

extension Settings {
  /// The settings that enter the arithmetic, in the form of the file. Equal texts promise equal bits, and the text names
  /// no folder, time, host or rank, so that it may go into the files of a run.
  public var arithmeticText: String { withScheduleEpochs.yaml(of: [.arithmetic]) }

  /// The same settings, with the length of the learning rate's schedule said where it follows `training.epochs`: that
  /// number alone leaves the bits as they are, but not where a schedule ends with the run.
  private var withScheduleEpochs: Settings {
    guard optimizer.schedule == .cosine || optimizer.schedule == .linear, optimizer.scheduleEpochs == 0 else {
      return self
    }
    var settings = self
    settings.optimizer.scheduleEpochs = training.epochs
    return settings
  }

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
    let (said, otherSaid) = (withScheduleEpochs, other.withScheduleEpochs)
    return SettingsCatalog.settings.compactMap { setting in
      let (value, otherValue) = (setting.text(said), setting.text(otherSaid))
      guard scopes.contains(setting.scope), value != otherValue else { return nil }
      return Difference(key: setting.key, scope: setting.scope, value: value, otherValue: otherValue)
    }
  }
}
