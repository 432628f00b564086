// Tags with their history, pulls, and the audit log with its chain: the rows that store/tag-history.ts, store/pulls.ts and
// store/audit.ts write, hashed by the store's own `linkHash`.
import type { DatabaseSync } from 'node:sqlite'
import { genesis, linkHash, type ChainedRow } from '../../src/store/audit-chain.ts'
import type { WrittenImage } from './images.ts'

export interface LedgerPush extends WrittenImage {
  at: number
  nth: number
}

interface Entry {
  at: number
  principal: string
  address: string
  action: string
  subject: string
  result?: string
  detail: Record<string, unknown>
}

export function ledgerWriter(db: DatabaseSync, random: () => number) {
  const audit = auditWriter(db)
  const latest = new Map<number, string>()
  const insert = {
    tag: db.prepare(`insert into tags (repository_id, name, manifest_id, updated_at, updated_by) values (?, ?, ?, ?, ?)
      on conflict (repository_id, name) do update set manifest_id = excluded.manifest_id, updated_at = excluded.updated_at, updated_by = excluded.updated_by`),
    move: db.prepare(
      'insert into tag_moves (repository_id, tag, from_digest, to_digest, moved_at, moved_by, way) values (?, ?, ?, ?, ?, ?, ?)',
    ),
    pull: db.prepare(
      `insert into pulls (repository_id, digest, tag, principal, address, count, first_at, last_at) values (?, ?, ?, ?, ?, ?, ?, ?)`,
    ),
    pulled: db.prepare('update manifest_links set pulled_at = ? where repository_id = ? and manifest_id = ?'),
  }

  function place(push: LedgerPush, tag: string, from: string | null): void {
    insert.tag.run(push.repositoryId, tag, push.manifestId, push.at, push.by)
    insert.move.run(push.repositoryId, tag, from, push.digest, push.at, push.by, 'push')
    const detail = { digest: push.digest, from }
    audit.add({
      at: push.at,
      principal: push.by,
      address: address(push.nth),
      action: 'tag.push',
      subject: `${push.repository}:${tag}`,
      detail,
    })
  }

  /** A tag of a branch, that was deleted with the branch. */
  function passing(push: LedgerPush): void {
    const tag = `pr-${push.nth}`
    const subject = `${push.repository}:${tag}`
    const who = { at: push.at, principal: push.by, address: address(push.nth) }
    insert.move.run(push.repositoryId, tag, null, push.digest, push.at, push.by, 'push')
    audit.add({ ...who, action: 'tag.push', subject, detail: { digest: push.digest, from: null } })
    insert.move.run(push.repositoryId, tag, push.digest, null, push.at, push.by, 'delete')
    audit.add({ ...who, action: 'tag.delete', subject, detail: { digest: push.digest } })
  }

  function pulls(push: LedgerPush): void {
    const pullers = push.nth % 100 === 0 ? 50 : 3
    const last = push.at + Math.floor(random() * 3_000_000)
    for (let at = 0; at < pullers; at++) {
      const who = at === 0 ? push.by : `robot:node-${(push.nth + at) % 500}`
      const by = at === 1 ? '' : push.tag // some know the digest alone
      insert.pull.run(push.repositoryId, push.digest, by, who, address(push.nth + at), 1 + at, push.at, last - at)
    }
    insert.pulled.run(last, push.repositoryId, push.manifestId)
  }

  function refusals(push: LedgerPush): void {
    const who = { at: push.at, principal: 'user:mallory', address: address(push.nth) }
    audit.add({ ...who, action: 'sign-in', subject: 'user:mallory', result: 'refused', detail: { count: 1 + (push.nth % 9) } })
  }

  return {
    push(push: LedgerPush): void {
      place(push, push.tag, null)
      place(push, 'latest', latest.get(push.repositoryId) ?? null)
      latest.set(push.repositoryId, push.digest)
      if (push.nth % 20 === 0) passing(push)
      if (push.nth % 200 === 0) refusals(push)
      pulls(push)
    },
    end: audit.end,
  }
}

function address(nth: number): string {
  return `10.${nth % 4}.${nth % 250}.${1 + (nth % 250)}`
}

/** The rows that are there are chained anew: they were given other times. */
function auditWriter(db: DatabaseSync) {
  let head = { id: 0, hash: genesis }
  const rechain = db.prepare('update audit_log set previous = ?, hash = ? where id = ?')
  for (const row of db.prepare('select * from audit_log order by id').all() as unknown as ChainedRow[]) {
    const hash = linkHash(head.hash, row)
    rechain.run(head.hash, hash, row.id)
    head = { id: row.id, hash }
  }
  const insert = db.prepare(
    'insert into audit_log (id, at, principal, address, action, subject, result, detail, previous, hash) values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)',
  )
  return {
    add({ result = 'done', detail: facts, ...entry }: Entry): void {
      const detail = JSON.stringify(facts)
      const hash = linkHash(head.hash, { ...entry, result, detail })
      const id = head.id + 1
      insert.run(id, entry.at, entry.principal, entry.address, entry.action, entry.subject, result, detail, head.hash, hash)
      head = { id, hash }
    },
    end(): void {
      db.prepare('update audit_chain set head_id = ?, head_hash = ? where id = 1').run(head.id, head.hash)
    },
  }
}
