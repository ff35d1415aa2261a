import Datasets
import Digests
import Reporting

/// Results as they are printed, alike everywhere so that scripts find them.
enum ResultText {
  /// `test accuracy 0.9949 (51 errors of 10000)`; what was drawn by code is named, so that it is not taken for real.
  static func accuracy(_ result: Evaluation.Result, of data: RunData, kind: TestMetrics.Kind = .test) -> String {
    "\(kind) accuracy \(NumberText.fixed(result.accuracy, decimals: 4)) "
      + "(\(result.errors) errors of \(result.samples)\(data.isDrawn ? " \(data.name)" : ""))"
  }

  /// `weights digest sha256:…`.
  static func weights(_ digest: Digest, of data: RunData) -> String {
    "weights digest \(digest)\(data.isDrawn ? " (\(data.name))" : "")"
  }
}

/// The data of a run, as its results name them.
struct RunData: Equatable {
  let name: String
  /// Whether it was drawn by code and says nothing about real images.
  let isDrawn: Bool

  init(_ dataset: any Dataset) {
    name = dataset.name
    isDrawn = dataset.name == SyntheticDigits.name
  }
}
