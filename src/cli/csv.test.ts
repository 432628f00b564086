import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { csvLine } from './csv.ts'

test('cells as they are, quoted where they must be', () => {
  assert.equal(csvLine(['a', 'b c', '']), 'a,b c,\r\n')
  assert.equal(csvLine(['a,b', 'say "no"', 'two\nlines']), '"a,b","say ""no""","two\nlines"\r\n')
})

test('what a spreadsheet would run is text', () => {
  for (const text of ['=1+1', '+1', '-1', '@SUM(A1)', '\t=1']) assert.match(csvLine([text]), /^'/)
})

test('any cells come back as they went in', () => {
  fc.assert(
    fc.property(fc.array(fc.string({ unit: 'grapheme' }), { minLength: 1, maxLength: 5 }), (cells) => {
      const back = parsed(csvLine(cells)).map((cell) => (/^'[=+\-@\t\r]/.test(cell) ? cell.slice(1) : cell))
      const wanted = cells.map((cell) => (/^'[=+\-@\t\r]/.test(cell) ? cell.slice(1) : cell))
      assert.deepEqual(back, wanted)
    }),
  )
})

/** RFC 4180, one record. */
function parsed(line: string): string[] {
  const cells: string[] = []
  const text = line.slice(0, -2)
  for (let at = 0; at <= text.length; at++) {
    let cell = ''
    if (text[at] === '"') {
      for (at++; ; at++) {
        if (text[at] === '"' && text[at + 1] !== '"') break
        if (text[at] === '"') at++
        cell += text[at]
      }
      at++
    } else {
      const end = text.indexOf(',', at)
      cell = text.slice(at, end < 0 ? undefined : end)
      at = end < 0 ? text.length : end
    }
    cells.push(cell)
  }
  return cells
}
