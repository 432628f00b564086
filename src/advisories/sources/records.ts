import { FieldError, hintText, isObject, type JsonObject, objectAt, own } from '../fields.ts'
import type { Fact, ReadContext } from '../form.ts'

/**
 * In: values of which each is a record; what a record says; and the field that names it. Out: what they say. One that can't be read is
 * dropped with its reason and its name.
 */
export async function* factsOfRecords(
  values: AsyncIterable<unknown>,
  context: ReadContext,
  nameField: string,
  factOf: (record: JsonObject) => Fact | undefined,
): AsyncGenerator<Fact> {
  for await (const value of values) {
    try {
      const fact = factOf(objectAt(value, 'record'))
      if (fact !== undefined) yield fact
    } catch (error) {
      if (!(error instanceof FieldError)) throw error
      context.drop(error.message.replaceAll(/\[\d+\]/g, '[]'), isObject(value) ? hintText(own(value, nameField)) : 'a record')
    }
  }
}
