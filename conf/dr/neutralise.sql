-- What of a copy could reach people or other systems is switched off. Tables of modules that are not
-- installed are passed over. Passwords stay, so that people can look at it.
do $$
declare
  step text[];
begin
  foreach step slice 1 in array array[
    ['ir_cron', 'update ir_cron set active = false'],
    ['ir_mail_server', 'update ir_mail_server set active = false'],
    ['fetchmail_server', 'update fetchmail_server set active = false'],
    ['mail_mail', 'update mail_mail set state = ''cancel'' where state in (''outgoing'', ''exception'')'],
    ['base_automation', 'update base_automation set active = false'],
    ['payment_provider', 'update payment_provider set state = ''disabled'''],
    ['auth_oauth_provider', 'update auth_oauth_provider set enabled = false'],
    ['iap_account', 'update iap_account set account_token = ''disabled'''],
    ['ir_config_parameter',
     'delete from ir_config_parameter where key in (''of_sii_cl.url'', ''of_sii_cl.key'', ''mail.catchall.domain'', ''web.base.url.freeze'')'],
    ['ir_config_parameter',
     'insert into ir_config_parameter (key, value) values (''database.is_neutralized'', ''true'') on conflict (key) do update set value = ''true''']]
  loop
    if to_regclass('public.' || step[1]) is not null then
      execute step[2];
    end if;
  end loop;
end $$;
