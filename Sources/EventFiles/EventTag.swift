/// The names under which TensorBoard shows what a run tells.
public enum EventTag {
  public static let trainingLoss: StaticString = "loss/training"
  public static let trainingAccuracy: StaticString = "accuracy/training"
  public static let learningRate: StaticString = "learning_rate"
  public static let speed: StaticString = "images_per_second"
  public static let testLoss: StaticString = "loss/test"
  public static let testAccuracy: StaticString = "accuracy/test"
  public static let validationLoss: StaticString = "loss/validation"
  public static let validationAccuracy: StaticString = "accuracy/validation"
  public static let configuration = "configuration"
  public static let wrongAnswers = "images/wrong_answers"
  public static let augmentation = "images/augmentation"

  public static func weights(_ name: String) -> String { "weights/\(name)" }
  public static func gradients(_ name: String) -> String { "gradients/\(name)" }

  /// Whether what has this name follows a step, and comes again where a run goes on right behind that step.
  static func followsStep(_ tag: String, endsEpoch: Bool) -> Bool {
    if tag.hasPrefix("gradients/") { return !endsEpoch }
    return ["weights/", "images/"].contains { tag.hasPrefix($0) }
      || [testLoss, testAccuracy, validationLoss, validationAccuracy].contains { tag == "\($0)" }
  }
}
