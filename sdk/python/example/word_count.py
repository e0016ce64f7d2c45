from orbit_satellite import Permanent, log, serve


def word_count(config, input):
    words = (input or {}).get("text", "").split()
    if len(words) < config.get("least", 1):
        raise Permanent("the text has too few words: %d" % len(words))
    log("counted", words=len(words))
    yield {"words": len(words), "longest": max(words, key=len, default="")}


serve(word_count)
