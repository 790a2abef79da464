import type { DatabaseSync, StatementSync } from "node:sqlite";
import { type DatabaseName, explainSqlite } from "./faults.ts";

/**
 * Makes the database's statements throw a full disk, a foreign lock or a failing device as `IchainError`: a daemon
 * retries what is retryable, and any other error would end it.
 */
export function explainingDatabase(db: DatabaseSync, name: DatabaseName, path: string): DatabaseSync {
  const explain =
    <Args extends unknown[], Result>(call: (...args: Args) => Result) =>
    (...args: Args): Result => {
      try {
        return call(...args);
      } catch (error) {
        throw explainSqlite(error, name, path);
      }
    };
  const prepare = db.prepare.bind(db);
  db.exec = explain(db.exec.bind(db));
  db.prepare = explain((...args: Parameters<typeof prepare>): StatementSync => {
    const statement = prepare(...args);
    statement.run = explain(statement.run.bind(statement)) as StatementSync["run"];
    statement.get = explain(statement.get.bind(statement)) as StatementSync["get"];
    statement.all = explain(statement.all.bind(statement)) as StatementSync["all"];
    return statement;
  });
  return db;
}
