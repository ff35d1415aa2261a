import Failures
import Foundation
import Testing

@testable import Configuration

@Suite struct ExtendedFileTests {
  private func load(_ files: [String: String], _ environment: [String: String] = [:]) throws -> Settings {
    let folder = try TemporaryFolder()
    for (name, text) in files { _ = try folder.file(name, text.utf8) }
    do {
      return try SettingsLoader.load(file: folder.path + "/run.yaml", environment: { environment[$0] })
    } catch let failure {
      let cause = failure.cause.split(separator: folder.path + "/", omittingEmptySubsequences: false).joined()
      throw Failure(failure.code, cause, remedy: failure.remedy)
    }
  }

  @Test func aFileChangesTheOneItExtends() throws {
    let settings = try load([
      "run.yaml": "seed: 3\nextends: base.yaml\ntraining:\n  batch: 40\n",
      "base.yaml": "seed: 1\ntraining:\n  epochs: 7\n  batch: 30\n",
    ])
    #expect(settings.seed == 3 && settings.training.batch == 40 && settings.training.epochs == 7)
  }

  @Test(arguments: [
    (["run.yaml": "extends: none.yaml"], "run.yaml:1: extends none.yaml: there is no such file"),
    (["run.yaml": "extends: [a, b]"], "run.yaml:1: extends must be the path of a file, but is a list"),
    (["run.yaml": "extends:"], "run.yaml:1: extends must be the path of a file, but is null (nothing)"),
    (["run.yaml": "extends: ''"], "run.yaml:1: extends names no file"),
    (
      ["run.yaml": "extends: a.yaml", "a.yaml": "seed: 1\nextends: b.yaml", "b.yaml": ""],
      "a.yaml:2: this file is extended by run.yaml, but extends another itself"
    ),
    (["run.yaml": "extends: run.yaml"], "run.yaml:1: this file is extended by run.yaml, but extends another itself"),
    (["run.yaml": "extends: a.yaml", "a.yaml": "sead: 1"], "a.yaml:1: unknown key sead"),
    (["run.yaml": "model:\n  extends: a.yaml"], "run.yaml:2: unknown key model.extends"),
  ])
  func whatCannotBeExtendedIsSaidWithItsPlace(files: [String: String], cause: String) {
    let failure = #expect(throws: Failure.self) { try load(files) }
    #expect(failure?.cause == cause)
  }

  @Test func onlyAFileExtends() {
    #expect(failure(in: "extends: a.yaml")?.cause == "x.yaml:1: unknown key extends")
  }

  @Test func valuesComeFromTheEnvironment() throws {
    let text = """
      seed: ${SEED}
      dataset:
        path: "${BASE}/sets/${NAME:-mnist} costs 5$ $${HOME}"
      model:
        filters: ["${A}", 16]
      training:
        batch: ${BATCH:-60}
      """
    #expect(throws: Failure.self) { try load(["run.yaml": text], ["SEED": "5", "BASE": "/data", "A": "8"]) }
    let settings = try load(
      ["run.yaml": text.replacing("[\"${A}\", 16]", with: "[8, 8, 16, 16, 32, 32]")],
      ["SEED": "5", "BASE": "/data", "NAME": ""])
    #expect(settings.seed == 5 && settings.training.batch == 60)
    #expect(settings.dataset.path == "/data/sets/mnist costs 5$ ${HOME}")
  }

  @Test(arguments: [
    ("seed: ${SEED}", "run.yaml:1: seed needs SEED of the environment, which is not set"),
    ("seed: ${1X}", "run.yaml:1: seed names \"1X\", which cannot be a variable of the environment"),
    ("seed: ${}", "run.yaml:1: seed names \"\", which cannot be a variable of the environment"),
    ("seed: '${SEED'", "run.yaml:1: seed has a ${ without a }: \"${SEED\""),
    ("seed: ${TEN}", "run.yaml:1: seed must be an integer, but is the text \"ten\""),
  ])
  func aReferenceThatGivesNoValueIsSaidWithItsPlace(text: String, cause: String) {
    let failure = #expect(throws: Failure.self) { try load(["run.yaml": text], ["TEN": "ten"]) }
    #expect(failure?.cause == cause)
  }

  @Test func theEnvironmentFillsInNothingButFiles() throws {
    let overridden = try SettingsLoader.load(file: nil, overrides: ["dataset.path='${HOME}'"])
    #expect(overridden.dataset.path == "${HOME}")
    #expect(
      failure(in: "dataset:\n  path: ${HOME}")?.cause
        == "x.yaml:2: dataset.path needs HOME of the environment, which is not set")
  }

  /// The file of all settings that a run leaves is no reference, whatever its path holds.
  @Test func theResolvedFileGivesTheSameSettingsAgain() throws {
    var settings = Settings()
    settings.dataset.path = "/data/${X}/$${Y}"
    #expect(try load(["run.yaml": settings.yaml()]) == settings)
  }
}
