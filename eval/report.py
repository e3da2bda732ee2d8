"""A result for a person to read."""

from eval.run import Result


def terminal_report(result: Result) -> str:
    """The figures, then each question that was not answered as judged."""
    lines = [f"{len(result.rows)} questions, model {result.model}"]
    lines += [f"  {name:20} {value:.3f}" for name, value in result.metrics.items()]
    for row in result.rows:
        if row.question.answerable is False and not row.answer.abstained:
            lines.append(f"answered, should be refused  {row.question.id}: {row.question.question} → {row.answer.text}")
        elif row.question.answerable and row.answer.abstained:
            lines.append(
                f"refused, is answerable       {row.question.id}: {row.question.question} ({row.answer.reason})"
            )
        elif row.contained is not None and row.contained < 1:
            lines.append(f"answer not contained         {row.question.id}: {row.question.question} → {row.answer.text}")
    return "\n".join(lines)
