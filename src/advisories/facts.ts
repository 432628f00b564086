import type { Document } from './documents.ts'
import { limits } from './fields.ts'
import type { Fact, Form, ReadContext } from './form.ts'
import { forms } from './forms.ts'
import { layoutOf, peek, textLines } from './sniff.ts'
import { artifacts } from './sources/artifacts.ts'
import { debian } from './sources/debian.ts'
import { epss } from './sources/epss.ts'
import { jsonValues } from './values.ts'

/**
 * In: a document of any form that is understood. Out: what it says. What has no known form is dropped, value by value.
 * Throws UNREADABLE where the document ends in the middle, and whatever its bytes throw.
 */
export async function* factsIn(document: Document, context: ReadContext, onForm: (name: string) => void): AsyncGenerator<Fact> {
  const { head, bytes } = await peek(document.bytes)
  const text = textForms.find((form) => form.recognisesText(head))
  if (text !== undefined) {
    onForm(text.name)
    yield* text.read(textLines(bytes), context)
    return
  }
  const values = jsonValues(bytes, layoutOf(document.name, head), { mostBytes: limits.recordBytes, drop: context.drop })
  const found = await firstKnown(values, context)
  if (found === undefined) return
  onForm(found.form.name)
  yield* found.form.read(startingWith(found.first, values), context)
}

async function firstKnown(values: AsyncIterator<unknown>, context: ReadContext): Promise<{ form: Form; first: unknown } | undefined> {
  for (let next = await values.next(); next.done !== true; next = await values.next()) {
    const form = forms.find((candidate) => candidate.recognises(next.value))
    if (form !== undefined) return { form, first: next.value }
    context.drop('no form of advisory data that is known', 'before the first that is')
  }
  return undefined
}

/** What is no JSON. */
const textForms = [debian, epss, artifacts]

async function* startingWith(first: unknown, rest: AsyncGenerator<unknown>): AsyncGenerator<unknown> {
  yield first
  yield* rest
}
