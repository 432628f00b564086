import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { startLazaret } from '../support/lazaret.ts'
import { startPostgres } from '../support/postgres.ts'
import { lacking } from '../support/tools.ts'
import { askerOf, type AskApi } from './asking.ts'

const stack = new AsyncDisposableStack()
after(() => stack.disposeAsync())

interface Entry {
  id: number
  at: string
  principal: string
  action: string
  subject: string
  detail: Record<string, unknown>
}

overRecords('SQLite', false, async () => ({}))
overRecords('PostgreSQL', lacking('postgres', 'initdb', 'createdb', 'pg_isready'), async () => {
  const postgres = await startPostgres(stack)
  return { LAZARET_DATABASE: await postgres.createDatabase('lazaret') }
})

function overRecords(place: string, skip: string | false, open: () => Promise<Record<string, string>>): void {
  describe(`the audit log and jobs over ${place}`, { skip }, () => {
    let ask: AskApi
    let between: string
    const entries = async (query: string) => (await ask('GET', `/audit-log?${query}`)).json as { items: Entry[]; next?: string }

    before(async () => {
      const server = await startLazaret(stack, { policy: 'observe', env: await open() })
      ask = askerOf(server.host, server.admin)
      for (let at = 0; at < 12; at++)
        assert.equal((await ask('POST', '/robots', { body: { name: `robot-${at}`, grants: [`pull=p${at}`] } })).status, 201)
      between = new Date().toISOString()
      for (let at = 0; at < 3; at++) assert.equal((await ask('DELETE', `/robots?name=robot-${at}`)).status, 204)
    })

    test('the newest first, page by page, each once, also while more comes in', async () => {
      const seen: Entry[] = []
      let after = ''
      do {
        const page: { items: Entry[]; next?: string } = await entries(`limit=4${after}`)
        assert.ok(page.items.length <= 4)
        seen.push(...page.items)
        await ask('POST', '/robots/grants', { body: { name: 'robot-5', grants: [`pull=more${seen.length}`] } })
        after = page.next === undefined ? '' : `&after=${page.next}`
      } while (after !== '')
      const ids = seen.map((entry) => entry.id)
      assert.deepEqual(
        ids,
        ids.toSorted((a, b) => b - a),
      )
      assert.equal(new Set(ids).size, ids.length)
      assert.deepEqual(
        seen.slice(0, 3).map((entry) => `${entry.action} ${entry.subject}`),
        ['robot.remove robot:robot-2', 'robot.remove robot:robot-1', 'robot.remove robot:robot-0'],
      )
      assert.equal(`${seen.at(-1)?.principal} ${seen.at(-1)?.action} ${seen.at(-1)?.subject}`, 'system user.add user:admin')
    })

    test('filters, alone and together', async () => {
      assert.equal((await entries('action=robot.remove')).items.length, 3)
      assert.equal((await entries('subject=robot:robot-7')).items.length, 1)
      assert.deepEqual((await entries('subject=robot:robot-7')).items[0]?.detail, { grants: ['pull=p7'] })
      assert.deepEqual(
        (await entries('principal=system')).items.map((entry) => entry.subject),
        ['user:admin'],
      )
      assert.equal((await entries(`until=${between}&action=robot.add`)).items.length, 12)
      assert.equal((await entries(`since=${between}&action=robot.add`)).items.length, 0)
      assert.equal((await entries(`since=${between}&action=robot.remove&subject=robot:robot-1&principal=user:admin`)).items.length, 1)
      assert.equal((await entries('action=robot')).items.length, 0, 'the whole text, not its beginning')
      assert.equal((await entries("action=robot.add' or '1'='1")).items.length, 0)
    })

    test('a filter that is malformed is refused, rather than left out', async () => {
      for (const query of [
        'since=yesterday',
        'until=2026-11-24',
        'since=',
        'after=x',
        'after=-1',
        'after=1e3',
        'limit=0',
        'limit=1001',
        'who=admin',
        'principal=',
        `action=${'x'.repeat(600)}`,
        'action=a&action=b',
      ]) {
        const reply = await ask('GET', `/audit-log?${query}`)
        assert.equal(reply.status, 400, `${query}: ${reply.text}`)
        assert.equal(reply.json.code, 'INPUT_INVALID')
      }
    })

    test('jobs: pages, counts and filters', async () => {
      const { json } = await ask('GET', '/jobs')
      assert.deepEqual(Object.keys(json.counts).toSorted(), ['failed', 'running', 'waiting'])
      assert.ok(Array.isArray(json.items))
      assert.equal((await ask('GET', '/jobs?state=failed&kind=examine&limit=5')).status, 200)
      for (const query of ['state=done', 'kind=', 'limit=0', 'after=x', 'stat=failed'])
        assert.equal((await ask('GET', `/jobs?${query}`)).status, 400, query)
    })
  })
}
