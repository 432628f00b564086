// Writes what documentation has from code: docs/lazaret.schema.json, and the table in docs/settings.md. `--check` writes nothing
// and fails where a file is behind the code.

import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { settingsJsonSchema, settingsMarkdown } from '../src/kit/settings/published.ts'

const docs = `${import.meta.dirname}/../docs`
const marks = ['<!-- settings: made by npm run generate -->\n', '<!-- end of settings -->'] as const

/** Out: each document with its text as the code wants it. */
export function documents(): Map<string, string> {
  return new Map([
    ['lazaret.schema.json', `${JSON.stringify(settingsJsonSchema(), null, 2)}\n`],
    ['settings.md', between(readFileSync(`${docs}/settings.md`, 'utf8'), settingsMarkdown())],
  ])
}

/** In: a document and the text that belongs between its two marks. Out: the document with it. Throws where a mark is missing. */
function between(document: string, text: string): string {
  const start = document.indexOf(marks[0])
  const end = document.indexOf(marks[1])
  if (start < 0 || end < start) throw new Error(`docs/settings.md lacks the line ${marks[start < 0 ? 0 : 1].trim()}`)
  return document.slice(0, start) + marks[0] + text + document.slice(end)
}

function behind(): string[] {
  return [...documents()]
    .filter(([name, text]) => !existsSync(`${docs}/${name}`) || readFileSync(`${docs}/${name}`, 'utf8') !== text)
    .map(([name]) => `docs/${name}`)
}

if (import.meta.main) {
  const stale = behind()
  if (!process.argv.includes('--check')) for (const [name, text] of documents()) writeFileSync(`${docs}/${name}`, text)
  else if (stale.length > 0) {
    process.stderr.write(`${stale.join(', ')}: behind the code; run npm run generate\n`)
    process.exitCode = 1
  }
}
