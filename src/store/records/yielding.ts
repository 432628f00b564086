import { setImmediate } from 'node:timers/promises'
import { SqliteDialect, type CompiledQuery, type DatabaseConnection, type Driver, type QueryResult } from 'kysely'

/** A transaction of many statements holds up whoever pulls no longer than this at a time. */
const mostHeldMs = 10

/**
 * SQLite runs in this thread, and an image of many packages is written by thousands of statements in one transaction. Between them
 * others have their turn: readers have a connection of their own, and see nothing of it before the commit.
 */
export class YieldingSqliteDialect extends SqliteDialect {
  override createDriver(): Driver {
    return yielding(super.createDriver())
  }
}

function yielding(driver: Driver): Driver {
  let since = performance.now()

  async function executeQuery<Row>(connection: DatabaseConnection, query: CompiledQuery): Promise<QueryResult<Row>> {
    const result = await connection.executeQuery<Row>(query)
    if (performance.now() - since > mostHeldMs) {
      await setImmediate()
      since = performance.now()
    }
    return result
  }

  const wrapped = (connection: DatabaseConnection): DatabaseConnection => ({
    executeQuery: (query) => executeQuery(connection, query),
    streamQuery: (query, chunkSize) => connection.streamQuery(query, chunkSize),
  })
  return {
    init: () => driver.init(),
    async acquireConnection() {
      since = performance.now()
      return wrapped(await driver.acquireConnection())
    },
    beginTransaction: (connection, settings) => driver.beginTransaction(connection, settings),
    commitTransaction: (connection) => driver.commitTransaction(connection),
    rollbackTransaction: (connection) => driver.rollbackTransaction(connection),
    releaseConnection: (connection) => driver.releaseConnection(connection),
    destroy: () => driver.destroy(),
  }
}
