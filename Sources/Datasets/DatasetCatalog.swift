import Failures

/// What is asked of a data set when it is opened.
public struct DatasetRequest: Sendable {
  /// Where its files are; nil searches the usual places.
  public var path: String?
  public var subset: Subset
  /// How many samples, from the first on; 0 takes all there are.
  public var sampleLimit: Int
  /// How many classes there have to be; nil finds out.
  public var classCount: Int?

  public init(path: String? = nil, subset: Subset, sampleLimit: Int = 0, classCount: Int? = nil) {
    self.path = path
    self.subset = subset
    self.sampleLimit = sampleLimit
    self.classCount = classCount
  }
}

/// One kind of data set that can be asked for by name.
public protocol DatasetSource: Sendable {
  /// As in `dataset.name`.
  var name: String { get }
  /// What the classes are called, by label; empty where they are the digits 0 to 9.
  var classNames: [String] { get }

  func open(_ request: DatasetRequest) throws(Failure) -> any Dataset
}

extension DatasetSource {
  public var classNames: [String] { [] }
}

/// The data sets that are known by name.
public enum DatasetCatalog {
  public static let sources: [any DatasetSource] = [
    IDXSource(
      name: "mnist",
      remedy: "run launch/fetch-mnist.sh, or put its four files into a folder that DTRAIN_DATA or dataset.path names, "
        + "or set dataset.name=synthetic-digits, which needs no file"),
    IDXSource(
      name: "fashion-mnist",
      remedy: "install Debian's dataset-fashion-mnist, or put its four files into a folder that DTRAIN_DATA or "
        + "dataset.path names, or set dataset.name=synthetic-digits, which needs no file",
      // As its authors call them.
      classNames: [
        "T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot",
      ]),
    SyntheticDigitsSource(),
  ]

  public static var names: [String] { sources.map(\.name) }

  /// What a data set calls its classes, by label; empty where they are digits.
  public static func classNames(of name: String) -> [String] { sources.first { $0.name == name }?.classNames ?? [] }

  /// Opens one subset of a data set.
  ///
  /// - Throws: `.configuration` where the name is unknown or the request cannot be met, `.noInput` where the files are
  ///   nowhere, `.badData` where they are wrong.
  public static func open(name: String, _ request: DatasetRequest) throws(Failure) -> any Dataset {
    guard let source = sources.first(where: { $0.name == name }) else {
      throw Failure(
        .configuration, "dataset.name: there is no data set \"\(name)\"",
        remedy: "use one of \(names.joined(separator: ", ")); other idx files are named by dataset.path")
    }
    return try source.open(request)
  }

  public static func open(
    name: String, path: String?, subset: Subset, limit: Int = 0, classCount: Int? = nil
  ) throws(Failure) -> any Dataset {
    try open(
      name: name, DatasetRequest(path: path, subset: subset, sampleLimit: limit, classCount: classCount))
  }
}

/// A data set of four idx files.
struct IDXSource: DatasetSource {
  let name: String
  /// What to do where the files are nowhere.
  let remedy: String
  var classNames: [String] = []
  var environment: @Sendable (String) -> String? = environmentValue

  func open(_ request: DatasetRequest) throws(Failure) -> any Dataset {
    let search = DataSearch(path: request.path, environment: environment)
    let files = try search.files(of: name, subset: request.subset, remedy: remedy)
    return try IDXDataset(
      images: files.images, labels: files.labels, name: files.name, origin: files.folder,
      classCount: request.classCount, limit: request.sampleLimit,
      limitName: "dataset.\(request.subset.rawValue)_samples", cache: DecompressedCache(environment: environment))
  }
}

/// The digits that are drawn by code.
struct SyntheticDigitsSource: DatasetSource {
  var name: String { SyntheticDigits.name }

  func open(_ request: DatasetRequest) throws(Failure) -> any Dataset {
    if let classCount = request.classCount, classCount < SyntheticDigits.digitCount {
      throw Failure(
        .configuration, "\(name) has \(SyntheticDigits.digitCount) classes, but model.output_size is \(classCount)",
        remedy: "set model.output_size to at least \(SyntheticDigits.digitCount)")
    }
    let usual = request.subset == .training ? 60_000 : 10_000
    return try SyntheticDigits(
      subset: request.subset, count: request.sampleLimit == 0 ? usual : request.sampleLimit)
  }
}
