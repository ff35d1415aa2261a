import Reporting

extension StepProfile {
  /// The profile for programs; `dtrain report` shows it where a run's folder has it as `profile.json`.
  public var json: JSONValue {
    .object([
      .init("caption", .text(caption)), .init("step_seconds", .number(stepSeconds)),
      .init("images_per_second", .number(imagesPerSecond)),
      .init(
        "parts",
        .array(
          parts.map { part in
            .object([
              .init("name", .text(part.name)), .init("detail", .text(part.detail)),
              .init("forward_seconds", .number(part.forward)), .init("backward_seconds", .number(part.backward)),
              .init("other_seconds", .number(part.other)),
            ])
          })),
    ])
  }
}
