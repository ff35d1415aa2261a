// swift-tools-version: 6.3
import PackageDescription

// A package of its own, as somebody has it who uses the library: it knows nothing of this repository but where it is.
// launch/library-trial.sh builds it from a tagged clone, and says so in the environment.
let origin = Context.environment["DTRAIN_PACKAGE"] ?? "https://example.org/dtrain"

let package = Package(
  name: "LibraryUser",
  dependencies: [.package(url: origin, exact: "0.1.0")],
  targets: [
    .executableTarget(name: "LibraryUser", dependencies: [.product(name: "DTrain", package: "dtrain")])
  ]
)
