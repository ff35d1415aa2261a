// swift-tools-version: 6.3
import PackageDescription

// The processor the kernels are compiled for: the one stated baseline. The bits do not depend on it, only the
// speed does: `DTRAIN_PROCESSOR=x86-64` builds for any x86-64, without AVX2, and is much slower.
#if arch(x86_64)
  let processor = Context.environment["DTRAIN_PROCESSOR"] ?? "x86-64-v3"
  guard ["x86-64-v3", "haswell", "znver3", "x86-64"].contains(processor) else {
    fatalError("DTRAIN_PROCESSOR=\(processor): x86-64-v3, haswell, znver3 and x86-64 are known")
  }
  let processorFlags = ["-Xcc", "-march=\(processor)"]
  let processorSettings: [SwiftSetting] = processor == "x86-64" ? [] : [.define("BASELINE_X86_64_V3")]
  // The default build computes in vectors of 512 bits too, where it runs on a processor that has them.
  let wideFlags = ["-Xcc", "-march=x86-64-v4"]
  let wideSettings: [SwiftSetting] = processor == "x86-64-v3" ? [.define("WIDE_VECTORS_CALLED")] : []
#else
  let processorFlags: [String] = []
  let processorSettings: [SwiftSetting] = []
  let wideFlags: [String] = []
  let wideSettings: [SwiftSetting] = []
#endif

// `swift run` builds in debug. What runs in a training step has to be fast there too.
let optimized: [SwiftSetting] = [.unsafeFlags(["-O"])]
// Without -fno-math-errno the square root of a vector is eight calls of sqrtf: five times as long an Adam step.
let kernels: [SwiftSetting] =
  [.unsafeFlags(["-Ounchecked", "-Xcc", "-fno-math-errno"] + processorFlags)] + processorSettings + wideSettings
let wideKernels: [SwiftSetting] =
  [.unsafeFlags(["-Ounchecked", "-Xcc", "-fno-math-errno"] + wideFlags), .define("WIDE_VECTORS")]

/// A module of `Sources/` together with its tests in `Tests/`, which may need more than it does (`testing`).
func module(
  _ name: String, _ dependencies: [Target.Dependency], _ settings: [SwiftSetting]? = nil,
  testing: [Target.Dependency] = []
) -> [Target] {
  [
    .target(name: name, dependencies: dependencies, swiftSettings: settings ?? optimized),
    .testTarget(
      name: "\(name)Tests", dependencies: [.target(name: name)] + dependencies + testing, swiftSettings: optimized),
  ]
}

func systemLibrary(_ name: String, pkgConfig: String, package: String) -> Target {
  .systemLibrary(name: name, pkgConfig: pkgConfig, providers: [.apt([package])])
}

let package = Package(
  name: "dtrain",
  products: [
    .executable(name: "dtrain", targets: ["dtrain"]),
    // For a program of one's own, which imports DistributedTraining.
    .library(name: "DTrain", targets: ["DistributedTraining"]),
  ],
  targets: [
    systemLibrary("CMPI", pkgConfig: "ompi-c", package: "libopenmpi-dev"),
    systemLibrary("CZlib", pkgConfig: "zlib", package: "zlib1g-dev"),
    systemLibrary("CYAML", pkgConfig: "yaml-0.1", package: "libyaml-dev"),
    systemLibrary("CCrypto", pkgConfig: "libcrypto", package: "libssl-dev"),
    systemLibrary("CPNG", pkgConfig: "libpng", package: "libpng-dev"),
    .target(name: "CProcessor"),
    .target(name: "CVectors"),
    .target(name: "CStopRequest"),
    .target(name: "CChildProcess"),
    .executableTarget(
      name: "dtrain",
      dependencies: [
        "Arguments", "Benchmarks", "Checkpoints", "Communication", "Configuration", "CProcessor", "CStopRequest",
        "Datasets", "Diagnosis", "Digests", "Failures", "Images", "Kernels", "Launching", "Models", "NeuralNetwork",
        "Reporting", "RunReports", "Scaling", "Simulation", "Supervision", "Timeline", "Training", "WeightExchange",
      ],
      swiftSettings: optimized),
    .target(
      name: "DistributedTraining",
      dependencies: [
        "Augmentation", "Checkpoints", "Communication", "DataParallel", "Datasets", "Digests", "Failures", "Models",
        "NeuralNetwork", "Optimizers", "Training",
      ]),
    .executableTarget(
      name: "AllReduceProbe", dependencies: ["Communication", "DataParallel", "Failures"],
      path: "Tests/Support/AllReduceProbe", swiftSettings: optimized),
    .target(name: "CAllocationCount", path: "Tests/Support/CAllocationCount"),
    .executableTarget(
      name: "AllocationProbe",
      dependencies: ["CAllocationCount", "Communication", "Configuration", "DataParallel", "Failures", "Training"],
      path: "Tests/Support/AllocationProbe", swiftSettings: optimized),
    .testTarget(
      name: "dtrainTests", dependencies: ["Configuration", "dtrain", "Failures", "Kernels"], swiftSettings: optimized),
    .testTarget(
      name: "EndToEndTests", dependencies: ["Configuration", "dtrain", "Kernels"], swiftSettings: optimized),
  ]
    + module("Failures", [])
    + module("Arguments", ["Failures"])
    + module("Arithmetic", [])
    + module("Digests", ["CCrypto"])
    + module("Configuration", ["CYAML", "Digests", "Failures"])
    + module("Datasets", ["Arithmetic", "CProcessor", "CZlib", "Digests", "Failures"])
    + module("Augmentation", ["Arithmetic"], kernels)
    + module("Kernels", ["CProcessor", "CVectors"], kernels)
    + module("WideKernels", ["CVectors", "Kernels"], wideKernels)
    + module("NeuralNetwork", ["Arithmetic", "Failures", "Kernels", "WideKernels"])
    + module("Models", ["Failures", "NeuralNetwork"])
    + module("Optimizers", ["Arithmetic", "Kernels"])
    + module("Communication", ["CMPI", "Failures"])
    + module("DataParallel", ["Communication", "Failures", "Kernels"], testing: ["AllReduceProbe", "Arithmetic"])
    + module("Checkpoints", ["Arithmetic", "Digests", "Failures"])
    + module(
      "WeightExchange", ["Checkpoints", "CZlib", "Failures", "NeuralNetwork", "ProtocolBuffers"], testing: ["Models"])
    + module("ProtocolBuffers", [])
    + module("EventFiles", ["Failures", "ProtocolBuffers"])
    + module("Images", ["Checkpoints", "CPNG", "Failures"])
    + module("Reporting", ["Failures"])
    + module("Charts", ["Reporting"])
    + module("Launching", ["CChildProcess", "Checkpoints", "Failures"])
    + module("Supervision", ["Checkpoints", "Failures", "Launching", "Reporting"])
    + module(
      "Training",
      [
        "Arithmetic", "Augmentation", "Checkpoints", "Communication", "Configuration", "DataParallel", "Datasets",
        "Digests", "EventFiles", "Failures", "Images", "Models", "NeuralNetwork", "Optimizers", "Reporting",
      ], testing: ["AllocationProbe"])
    + module(
      "Timeline",
      ["Checkpoints", "Communication", "DataParallel", "Failures", "NeuralNetwork", "Reporting", "Training"],
      testing: ["Configuration", "Datasets"])
    + module(
      "Diagnosis",
      [
        "Checkpoints", "Communication", "Configuration", "Datasets", "Failures", "Launching", "Reporting", "Timeline",
        "Training",
      ])
    + module(
      "Benchmarks",
      [
        "Communication", "Configuration", "DataParallel", "Datasets", "Digests", "Failures", "Kernels", "NeuralNetwork",
        "Reporting", "Training", "WideKernels",
      ])
    + module(
      "Scaling",
      ["Benchmarks", "Charts", "Checkpoints", "Communication", "Configuration", "Failures", "Reporting", "Supervision"])
    + module(
      "Simulation",
      ["Arithmetic", "Charts", "Checkpoints", "Communication", "DataParallel", "Failures", "Reporting"])
    + module(
      "RunReports",
      [
        "Charts", "Checkpoints", "Communication", "Configuration", "Datasets", "Digests", "Failures", "Images",
        "Reporting",
        "Training",
      ]),
  swiftLanguageModes: [.v6]
)
