import Foundation
import Testing

@testable import Configuration

extension EndToEnd {
  /// `launch/kubernetes/mpijob.yaml` against the types of the MPI operator (`pkg/apis/kubeflow/v2beta1/types.go`) and of
  /// Kubernetes' core, and its commands against the programs that they name.
  @Suite struct KubernetesTests {
    private let root: YAMLNode
    private static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .deletingLastPathComponent().deletingLastPathComponent().appending(path: "launch/kubernetes")

    init() throws {
      let bytes = try Data(contentsOf: Self.folder.appending(path: "mpijob.yaml"))
      root = try #require(try YAMLParser.parse(Array(bytes)).root)
    }

    /// What a value may be.
    private indirect enum Schema: Sendable {
      case text, integer, boolean
      case choice([String])
      case list(Schema)
      case map(Schema, keys: [String])
      case object([String: Schema], required: [String])
    }

    private static let resources = Schema.object(
      ["limits": .map(.text, keys: ["cpu", "memory"]), "requests": .map(.text, keys: ["cpu", "memory"])], required: [])
    private static let container = Schema.object(
      [
        "name": .text, "image": .text, "command": .list(.text), "args": .list(.text), "resources": resources,
        "securityContext": .object(["runAsUser": .integer, "runAsGroup": .integer], required: []),
        "volumeMounts": .list(
          .object(["name": .text, "mountPath": .text, "readOnly": .boolean], required: ["name", "mountPath"])),
      ], required: ["name", "image"])
    private static let volume = Schema.object(
      [
        "name": .text,
        "persistentVolumeClaim": .object(["claimName": .text, "readOnly": .boolean], required: ["claimName"]),
        "emptyDir": .object(["medium": .choice(["", "Memory"]), "sizeLimit": .text], required: []),
      ], required: ["name"])
    private static let replicas = Schema.object(
      [
        "replicas": .integer, "restartPolicy": .choice(["Always", "OnFailure", "Never", "ExitCode"]),
        "template": .object(
          [
            "spec": .object(
              [
                "containers": .list(container), "volumes": .list(volume),
                "securityContext": .object(["fsGroup": .integer], required: []),
              ], required: ["containers"])
          ], required: ["spec"]),
      ], required: ["template"])
    private static let job = Schema.object(
      [
        "apiVersion": .choice(["kubeflow.org/v2beta1"]), "kind": .choice(["MPIJob"]),
        "metadata": .object(["name": .text, "namespace": .text], required: ["name"]),
        "spec": .object(
          [
            "slotsPerWorker": .integer, "sshAuthMountPath": .text, "waitForWorkers": .boolean,
            "mpiImplementation": .choice(["OpenMPI", "Intel"]),
            "runPolicy": .object(
              [
                "cleanPodPolicy": .choice(["None", "Running", "All"]), "ttlSecondsAfterFinished": .integer,
                "activeDeadlineSeconds": .integer, "backoffLimit": .integer, "suspend": .boolean,
              ], required: []),
            "mpiReplicaSpecs": .object(["Launcher": replicas, "Worker": replicas], required: ["Launcher", "Worker"]),
          ], required: ["mpiReplicaSpecs"]),
      ], required: ["apiVersion", "kind", "metadata", "spec"])

    /// What does not fit, each with its line.
    private func problems(_ node: YAMLNode, _ schema: Schema) -> [String] {
      func wrong(_ what: String) -> [String] { ["line \(node.line): \(what), but is \(node.found)"] }
      switch (schema, node.content) {
      case (.text, .scalar): return node.isInteger || node.isBoolean || node.isNull ? wrong("must be a text") : []
      case (.integer, .scalar): return node.isInteger ? [] : wrong("must be an integer")
      case (.boolean, .scalar): return node.isBoolean ? [] : wrong("must be a boolean")
      case (.choice(let words), .scalar): return words.contains(node.text) ? [] : wrong("must be one of \(words)")
      case (.list(let element), .sequence(let nodes)): return nodes.flatMap { problems($0, element) }
      case (.map(let value, let keys), .mapping(let entries)):
        return entries.flatMap {
          problems($0.value, value) + (keys.contains($0.key) ? [] : ["line \($0.keyLine): \($0.key) is unknown"])
        }
      case (.object(let fields, let required), .mapping(let entries)):
        let missing = required.filter { name in !entries.contains { $0.key == name } }
        return missing.map { "line \(node.line): \($0) is missing" }
          + entries.flatMap { entry in
            fields[entry.key].map { problems(entry.value, $0) } ?? ["line \(entry.keyLine): \(entry.key) is unknown"]
          }
      default: return wrong("must have another form")
      }
    }

    private func value(_ path: String...) throws -> YAMLNode {
      try path.reduce(root) { node, key in
        if case .mapping(let entries) = node.content { return try #require(entries.first { $0.key == key }?.value) }
        guard case .sequence(let nodes) = node.content, let index = Int(key) else { throw CancellationError() }
        return nodes[index]
      }
    }

    private func words(_ replica: String) throws -> [String] {
      try ["command", "args"].flatMap { key -> [String] in
        let node = try value("spec", "mpiReplicaSpecs", replica, "template", "spec", "containers", "0", key)
        guard case .sequence(let nodes) = node.content else { return [] }
        return nodes.map(\.text)
      }
    }

    @Test func itsFieldsAreThoseOfTheOperator() {
      #expect(problems(root, Self.job) == [])
    }

    @Test func aWrongFieldWouldBeFound() throws {
      for (right, wrong) in [
        ("slotsPerWorker: 2", "slotsPerWorkers: 2"), ("replicas: 2", "replicas: two"),
        ("cleanPodPolicy: Running", "cleanPodPolicy: Sometimes"), ("cpu: \"2\"", "cpus: \"2\""), ("kind: MPIJob", ""),
      ] {
        let text = try String(contentsOf: Self.folder.appending(path: "mpijob.yaml"), encoding: .utf8)
        #expect(text.contains(right))
        let changed = text.replacing(right, with: wrong)
        let node = try #require(try YAMLParser.parse(Array(changed.utf8)).root)
        #expect(!problems(node, Self.job).isEmpty, "\(wrong)")
      }
    }

    @Test(.enabled(if: Launch.isMPIPossible, "mpirun is not installed")) func itsCommandIsOneThatRuns() throws {
      let folder = try TemporaryFolder()
      let command = try words("Launcher")
      let program = try #require(command.firstIndex(of: "dtrain"))
      #expect(command.first == "mpirun")
      let arguments = command[(program + 1)...].map { word in
        word == "/runs/first" ? "run" : word.hasPrefix("dataset.path=") ? "dataset.name=synthetic-digits" : word
      }
      #expect(arguments != Array(command[(program + 1)...]))
      let launch = Launch(through: Array(command[..<program]), folder: folder.url)
      let run = try launch.run(arguments + ["--max-steps", "2"] + ShortRun.settings.dropFirst())
      run.expectOrderlyEnd(0)
      #expect(run.line("weights digest") != nil)
    }

    @Test func ranksSlotsAndFoldersAgree() throws {
      let launcher = try words("Launcher")
      let ranks = Int(launcher[try #require(launcher.firstIndex(of: "-n")) + 1])
      let slots = Int(try value("spec", "slotsPerWorker").text)
      let workers = Int(try value("spec", "mpiReplicaSpecs", "Worker", "replicas").text)
      #expect(try #require(ranks) <= #require(slots) * #require(workers))
      let file = try String(contentsOf: Self.folder.appending(path: "Containerfile"), encoding: .utf8)
      // The keys that the operator mounts are those that the image's sshd reads.
      #expect(file.contains("HostKey \(try value("spec", "sshAuthMountPath").text)/id_rsa"))
      let worker = try words("Worker")
      #expect(file.contains(">\(try #require(worker.last))"))
      for mount in ["/data", "/runs"] { #expect(launcher.contains { $0.contains("\(mount)/") }) }
    }
  }
}
