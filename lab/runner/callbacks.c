/* callbacks.c - the 24 application callbacks, each of which writes one log
 * line, does what its client is set to do, and then runs the hooks that a
 * script put there. */
#include "lab.h"
#include <stdlib.h>
#include <string.h>

#define DEEPEST 3                   /* hooks inside hooks */
int hook_depth;

void hooks_run(struct client *c, const char *callback)
{
    if (hook_depth >= DEEPEST) return;
    for (struct hook *h = c->hooks; h; h = h->next) {
        if (strcmp(h->callback, callback)) continue;
        if (!h->every && (h->countdown == 0 || --h->countdown > 0)) continue;
        char *line = strdup(h->command);
        hook_depth++;
        emit("hook %s", callback);
        run_command(line);
        emit("unhook %s", callback);
        hook_depth--;
        free(line);
    }
}

static OtrlPolicy on_policy(void *data, ConnContext *context)
{
    struct client *c = data;
    emit("cb policy %s", context_brief(context));
    hooks_run(c, "policy");
    return c->policy;
}

static void on_create_privkey(void *data, const char *account, const char *protocol)
{
    struct client *c = data;
    emit("cb create_privkey account=%s protocol=%s", enc(account), enc(protocol));
    if (c->make_key == 1 && c->keyfile)
        emit("made %x", lib.otrl_privkey_read(c->us, c->keyfile));
    if (c->make_key == 2)
        emit("made %x", lib.otrl_privkey_generate(c->us, "made.key", account, protocol));
    hooks_run(c, "create_privkey");
}

static int on_is_logged_in(void *data, const char *account, const char *protocol, const char *recipient)
{
    struct client *c = data;
    emit("cb is_logged_in account=%s protocol=%s to=%s", enc(account), enc(protocol), enc(recipient));
    hooks_run(c, "is_logged_in");
    return c->logged_in;
}

static void on_inject_message(void *data, const char *account, const char *protocol,
                              const char *recipient, const char *message)
{
    struct client *c = data;
    emit("inject account=%s protocol=%s to=%s msg=%s", enc(account), enc(protocol), enc(recipient), enc(message));
    hooks_run(c, "inject_message");
}

static void on_update_context_list(void *data)
{
    emit("cb update_context_list");
    hooks_run(data, "update_context_list");
}

static void on_new_fingerprint(void *data, OtrlUserState us, const char *account, const char *protocol,
                               const char *username, unsigned char fingerprint[20])
{
    struct client *c = data;
    emit("cb new_fingerprint us=%s account=%s protocol=%s user=%s fp=%s", us == c->us ? "ok" : "WRONG",
         enc(account), enc(protocol), enc(username), hex(fingerprint, 20));
    hooks_run(c, "new_fingerprint");
}

static void on_write_fingerprints(void *data)
{
    emit("cb write_fingerprints");
    hooks_run(data, "write_fingerprints");
}

static void security(void *data, const char *which, ConnContext *context, const char *more)
{
    Fingerprint *f = context->active_fingerprint;
    emit("cb %s %s%s sid=%s half=%d afp=%s", which, context_brief(context), more,
         hex(context->sessionid, context->sessionid_len <= 20 ? context->sessionid_len : 0),
         context->sessionid_half, f ? hex(f->fingerprint, 20) : "~");
    hooks_run(data, which);
}

static void on_gone_secure(void *data, ConnContext *context) { security(data, "gone_secure", context, ""); }
static void on_gone_insecure(void *data, ConnContext *context) { security(data, "gone_insecure", context, ""); }
static void on_still_secure(void *data, ConnContext *context, int is_reply)
{
    security(data, "still_secure", context, is_reply ? " reply=1" : " reply=0");
}

static int on_max_message_size(void *data, ConnContext *context)
{
    struct client *c = data;
    emit("cb max_message_size %s", context_brief(context));
    hooks_run(c, "max_message_size");
    return c->max_size;
}

static const char *on_account_name(void *data, const char *account, const char *protocol)
{
    (void)data;
    emit("cb account_name account=%s protocol=%s", enc(account), enc(protocol));
    return strdup("name");
}

static void on_account_name_free(void *data, const char *name)
{
    (void)data;
    emit("cb account_name_free %s", enc(name));
    free((char *)name);
}

static void on_received_symkey(void *data, ConnContext *context, unsigned int use,
                               const unsigned char *usedata, size_t length, const unsigned char *key)
{
    emit("cb received_symkey %s use=%08x data=%s key=%s", context_brief(context), use,
         enc_bytes(usedata, length), hex(key, 32));
    hooks_run(data, "received_symkey");
}

static const char *on_otr_error_message(void *data, ConnContext *context, OtrlErrorCode code)
{
    struct client *c = data;
    char text[40];
    emit("cb otr_error_message %s code=%d", context_brief(context), code);
    hooks_run(c, "otr_error_message");
    if (c->error_text == 0) return NULL;
    snprintf(text, sizeof text, c->error_text == 2 ? "" : "trouble number %d", code);
    return strdup(text);
}

static void on_otr_error_message_free(void *data, const char *text)
{
    emit("cb otr_error_message_free %s", enc(text));
    free((char *)text);
    hooks_run(data, "otr_error_message_free");
}

static const char *on_resent_msg_prefix(void *data, ConnContext *context)
{
    emit("cb resent_msg_prefix %s", context_brief(context));
    hooks_run(data, "resent_msg_prefix");
    return strdup("[once more]");
}

static void on_resent_msg_prefix_free(void *data, const char *prefix)
{
    emit("cb resent_msg_prefix_free %s", enc(prefix));
    free((char *)prefix);
    hooks_run(data, "resent_msg_prefix_free");
}

static void on_handle_smp_event(void *data, OtrlSMPEvent event, ConnContext *context,
                                unsigned short progress, char *question)
{
    emit("cb handle_smp_event %s event=%d progress=%u question=%s", context_brief(context), event, progress,
         enc(question));
    ((struct client *)data)->asked = event == OTRL_SMPEVENT_ASK_FOR_ANSWER || event == OTRL_SMPEVENT_ASK_FOR_SECRET;
    hooks_run(data, "handle_smp_event");
}

static void on_handle_msg_event(void *data, OtrlMessageEvent event, ConnContext *context,
                                const char *message, gcry_error_t error)
{
    emit("cb handle_msg_event %s event=%d text=%s error=%x", context_brief(context), event, enc(message), error);
    hooks_run(data, "handle_msg_event");
}

static void on_create_instag(void *data, const char *account, const char *protocol)
{
    struct client *c = data;
    emit("cb create_instag account=%s protocol=%s", enc(account), enc(protocol));
    if (c->make_tag == 1 && c->tagfile)
        emit("made %x", lib.otrl_instag_read(c->us, c->tagfile));
    if (c->make_tag == 2)
        emit("made %x", lib.otrl_instag_generate(c->us, "made.tag", account, protocol));
    hooks_run(c, "create_instag");
}

static void on_convert_msg(void *data, ConnContext *context, OtrlConvertType type, char **dest, const char *source)
{
    struct client *c = data;
    emit("cb convert_msg %s type=%d text=%s", context_brief(context), type, enc(source));
    *dest = NULL;
    if (c->convert == 1) {
        size_t length = strlen(source) + 8;
        *dest = malloc(length);
        snprintf(*dest, length, "%s%s", source, type == OTRL_CONVERT_SENDING ? "<s>" : "<r>");
    } else if (c->convert == 2) {
        *dest = strdup("");
    }
    hooks_run(c, "convert_msg");
}

static void on_convert_free(void *data, ConnContext *context, char *dest)
{
    emit("cb convert_free %s text=%s", context_brief(context), enc(dest));
    free(dest);
    hooks_run(data, "convert_free");
}

static void on_timer_control(void *data, unsigned int interval)
{
    emit("cb timer_control %u", interval);
    hooks_run(data, "timer_control");
}

/* add_app_data, the parameter of sending and receiving */
static void drop_app_data(void *data)
{
    emit("cb app_data_free");
    free(data);
}

void added_context(void *data, ConnContext *context)
{
    emit("cb add_app_data %s our=%x", context_name(context), context->our_instance);
    context->app_data = strdup("of the application");
    context->app_data_free = drop_app_data;
    hooks_run(data, "add_app_data");
}

#define CALLBACKS(X) \
    X(policy) X(create_privkey) X(is_logged_in) X(inject_message) X(update_context_list) \
    X(new_fingerprint) X(write_fingerprints) X(gone_secure) X(gone_insecure) X(still_secure) \
    X(max_message_size) X(account_name) X(account_name_free) X(received_symkey) \
    X(otr_error_message) X(otr_error_message_free) X(resent_msg_prefix) X(resent_msg_prefix_free) \
    X(handle_smp_event) X(handle_msg_event) X(create_instag) X(convert_msg) X(convert_free) \
    X(timer_control)

void callbacks_all(struct client *c)
{
#define X(name) c->ops.name = on_##name;
    CALLBACKS(X)
#undef X
}

int callback_clear(struct client *c, const char *name)
{
#define X(member) \
    if (!strcmp(name, #member)) { c->ops.member = NULL; return 1; }
    CALLBACKS(X)
#undef X
    return 0;
}
