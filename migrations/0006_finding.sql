-- What lists and look-ups are read through.

-- The templates of a state in the order of lists; and by name, whatever their namespace.
CREATE INDEX templates_state ON tasker.templates (state, namespace, name);
CREATE INDEX templates_name ON tasker.templates (name, namespace);
-- Readers go through the list of what is not yet in the index: keep that short.
ALTER INDEX tasker.templates_search SET (gin_pending_list_limit = 256);

-- Usages in one namespace whose terms begin so.
CREATE INDEX template_index_namespace ON tasker.template_index
    (subject, namespace, left(term, 200), name, major, minor, patch);

-- The channels of one name, and the events whose names begin so, whatever their namespace. By an expression, so that it
-- is used for nothing else.
CREATE INDEX channels_channel ON tasker.channels (channel, namespace, name);
CREATE INDEX domain_events_name ON tasker.domain_events (left(name, 100));

-- What finds the templates whose tasker.search_words hold every word of p_text, as a word or as its beginning. Null when
-- p_text has no word; nothing of it is syntax.
CREATE FUNCTION tasker.search_query(p_text text)
RETURNS tsquery LANGUAGE sql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT string_agg('''' || replace(replace(w.lexeme, '\', '\\'), '''', '''''') || ''':*', ' & ')::tsquery
      FROM unnest(to_tsvector('simple', translate(p_text, '_-./', '    '))) AS w;
$$;
