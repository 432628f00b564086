import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { OsRelease } from '../../model/layer.ts'
import { bearsAnything, factsOf } from '../testing/extract.ts'
import { release } from './release.ts'

const debian =
  'PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\nNAME="Debian GNU/Linux"\nVERSION_ID="12"\nVERSION_CODENAME=bookworm\nID=debian\nHOME_URL="https://www.debian.org/"\n'

test('both places are read', () => {
  const expected = { id: 'debian', versionId: '12', idLike: [], codename: 'bookworm', prettyName: 'Debian GNU/Linux 12 (bookworm)' }
  assert.deepEqual(read('etc/os-release', debian), expected)
  assert.deepEqual(read('usr/lib/os-release', debian), expected)
  assert.ok(!release.wants('etc/os-release.d') && !release.wants('x/etc/os-release'))
})

test('quotes are taken off as a shell does', () => {
  assert.deepEqual(
    read('etc/os-release', `ID='alpine'\nVERSION_ID=3.20.1 # a comment\nPRETTY_NAME="a \\"b\\" \\$c \\\\ d"\nID_LIKE="rhel fedora"\n`),
    {
      id: 'alpine',
      versionId: '3.20.1',
      idLike: ['rhel', 'fedora'],
      prettyName: 'a "b" $c \\ d',
    },
  )
  assert.equal(read('etc/os-release', 'ID=Debian\r\n').id, 'debian')
  assert.equal(read('etc/os-release', '# ID=no\nXID=no\nID="unclosed').id, 'unclosed')
})

test('the last assignment counts, and one without an ID that can be one is a problem', () => {
  assert.equal(read('etc/os-release', 'ID=a\nID=b\n').id, 'b')
  for (const text of ['', 'NAME=x\n', 'ID=\n', 'ID="two words"\n', 'ID=$(x)\n', `ID=${'a'.repeat(200)}\n`]) {
    assert.deepEqual(factsOf(release, 'etc/os-release', text), [{ problem: 'no ID that can be read' }], text)
  }
})

bearsAnything(release, 'etc/os-release', debian)

function read(path: string, text: string): OsRelease {
  const [fact] = factsOf(release, path, text)
  assert.ok(fact !== undefined && 'release' in fact)
  return fact.release
}
