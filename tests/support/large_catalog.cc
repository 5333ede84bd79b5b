#include "tests/support/large_catalog.h"

#include <fmt/format.h>

#include <string>

#include "tests/support/postgres_fixture.h"

namespace tasker::test {
namespace {

// Indexes are made after the rows: that is several times as fast.
constexpr char kFill[] = R"sql(
SET synchronous_commit TO off;
SET maintenance_work_mem TO '256MB';
CREATE TEMP TABLE dropped AS
  SELECT indexdef FROM pg_indexes WHERE schemaname = 'tasker' AND tablename IN ('template_index', 'templates', 'changes')
     AND indexname NOT LIKE '%_pkey';
DO $$ DECLARE i text; BEGIN
  FOR i IN SELECT indexname FROM pg_indexes WHERE schemaname = 'tasker'
              AND tablename IN ('template_index', 'templates', 'changes') AND indexname NOT LIKE '%_pkey' LOOP
    EXECUTE 'DROP INDEX tasker.' || i;
  END LOOP;
END $$;

CREATE TEMP TABLE version AS
SELECT t, p, CASE WHEN t % 2 = 0 THEN 'big' ELSE 'ns' || t / 20 END AS namespace, 't' || t AS name, '1.' || p || '.0' AS version,
       md5(t || '/' || p)::uuid AS uuid,
       CASE WHEN t % 100 = 99 AND p > 0 THEN 'YANKED' WHEN t % 10 = 9 THEN 'DEPRECATED' ELSE 'ACTIVE' END AS state
  FROM generate_series(0, @templates@ - 1) t, generate_series(0, 9) p;

INSERT INTO tasker.task_namespaces (name, system_dependencies, template_count)
SELECT v.namespace, '{default}', count(*) / 10 FROM version v GROUP BY v.namespace;

INSERT INTO tasker.named_tasks (named_task_uuid, task_namespace_uuid, namespace, name, version, description,
       configuration, digest, tags, step_count, revision, state)
SELECT v.uuid, n.task_namespace_uuid, v.namespace, v.name, v.version, 'Settles word' || t % 1000,
       jsonb_build_object('name', v.name, 'namespace_name', v.namespace, 'version', v.version,
         'task_handler', jsonb_build_object('callable', 'Tasks::T' || t),
         'steps', jsonb_build_array(
           jsonb_build_object('name', 'a', 'handler', jsonb_build_object('callable', 'Shared::Step')),
           jsonb_build_object('name', 'b', 'handler', jsonb_build_object(
             'callable', CASE WHEN p < 9 THEN 'Old::Step' ELSE 'New::Step' END)))),
       'sha256:' || repeat(md5(t || '/' || p), 2),
       ARRAY['common', CASE WHEN t % 2 = 0 THEN 'even' ELSE 'odd' END, 'group' || t / 100], 2, 1, v.state
  FROM version v JOIN tasker.task_namespaces n ON n.name = v.namespace ORDER BY t, p;

INSERT INTO tasker.templates (namespace, name, latest_named_task_uuid, major, minor, patch, version_count, created_at,
       updated_at, state, search)
SELECT DISTINCT ON (v.t) v.namespace, v.name, v.uuid, 1, v.p, 0, 10, now(), now(), v.state,
       tasker.search_words(v.name, 'Settles word' || t % 1000,
         ARRAY['common', CASE WHEN t % 2 = 0 THEN 'even' ELSE 'odd' END, 'group' || t / 100])
  FROM version v ORDER BY v.t, v.state = 'YANKED', v.p DESC;

INSERT INTO tasker.template_index (named_task_uuid, namespace, name, major, minor, patch, revision, subject, term, role,
       step, environment, detail)
SELECT v.uuid, v.namespace, v.name, 1, v.p, 0, 1, e.subject, e.term, e.role, e.step, '', ''
  FROM version v CROSS JOIN LATERAL (VALUES
         ('callable', 'Tasks::T' || t, 'task_handler', ''),
         ('callable', 'Shared::Step', 'step_handler', 'a'),
         ('callable', CASE WHEN p < 9 THEN 'Old::Step' ELSE 'New::Step' END, 'step_handler', 'b'),
         ('system', 'default', 'primary', ''),
         ('system', 'system' || t % 10, 'secondary', ''),
         ('system', CASE WHEN t = 7 THEN 'rare' END, 'step', 'a'),
         ('event', 'order.paid', 'publishes', 'a'),
         ('event', 'event.t' || t, 'declares', ''),
         ('tag', 'common', '', ''),
         ('tag', CASE WHEN t % 2 = 0 THEN 'even' ELSE 'odd' END, '', ''),
         ('tag', 'group' || t / 100, '', '')) AS e (subject, term, role, step)
 WHERE e.term IS NOT NULL ORDER BY v.t, v.p;

INSERT INTO tasker.changes (revision, ordinal, kind, namespace, name, version, created_at)
SELECT v.t * 10 + v.p + 1, 0, 'REGISTER', v.namespace, v.name, v.version, now() FROM version v;
UPDATE tasker.change_head SET revision = (SELECT max(c.revision) FROM tasker.changes c);

INSERT INTO tasker.domain_events (namespace, name, schema_digest, template, version, created_at)
SELECT v.namespace, 'event.t' || v.t, '', v.name, v.version, now() FROM version v WHERE v.p = 0
 UNION ALL SELECT v.namespace, 'order.paid', '', min(v.name), '1.0.0', now() FROM version v GROUP BY v.namespace;

INSERT INTO tasker.channels (namespace, name, channel, named_task_uuid, version, revision, updated_at)
SELECT v.namespace, v.name, 'stable', v.uuid, v.version, 1, now() FROM version v WHERE v.p = 8
 UNION ALL
SELECT v.namespace, v.name, 'canary', v.uuid, v.version, 1, now() FROM version v WHERE v.p = 9 AND v.t % 10 = 0;

INSERT INTO tasker.channel_moves (namespace, name, channel, revision, version, created_at)
SELECT v.namespace, v.name, 'canary', v.p + 1, v.version, now() FROM version v WHERE v.t % 10 = 0
 UNION ALL SELECT v.namespace, v.name, 'stable', 1, v.version, now() FROM version v WHERE v.p = 8;

DO $$ DECLARE i text; BEGIN
  FOR i IN SELECT indexdef FROM dropped LOOP EXECUTE i; END LOOP;
END $$;
DROP TABLE version, dropped;
)sql";

}  // namespace

void FillCatalog(store::ConnectionPool& pool, int templates) {
  std::string sql = kFill;
  constexpr std::string_view kCount = "@templates@";
  for (size_t at = sql.find(kCount); at != std::string::npos; at = sql.find(kCount)) {
    sql.replace(at, kCount.size(), std::to_string(templates));
  }
  RunSql(pool, sql);
  RunSql(pool, "VACUUM ANALYZE");
}

}  // namespace tasker::test
