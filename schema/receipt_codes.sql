-- Codes of the carriers' receipts, as Tencent's documents class them.
delete from sendcode.receipt_code;
insert into sendcode.receipt_code (code, kind, carriers, meaning)
select c.code, g.kind, g.carriers, m.meaning
from (values
        ('BLACKLIST', 'any',
         'MX:0012|BWLIST_006|TD:0001|TD:19'),
        ('BLACKLIST', 'mobile',
         'MB:1077|DB:0141|DB:0164|DB:0144|DB00144|BWLIST|HD:19|TUIDING|HIGRISK|TC:0001'),
        ('BLACKLIST', 'telecom, unicom',
         'MOBILE BLACK'),
        ('BLACKLIST', 'unicom',
         'W-BLACK|69'),
        ('CARRIER_INTERNAL', 'any',
         'TE:0002'),
        ('CARRIER_INTERNAL', 'mobile',
         'MI:0022|IA:0054|MN:0075|IC:0015|BEYONDN|MC00151|IC:0055|MB:1078|MN00001|ID:0013'
         '|MI:0081|DA:0054|MN:0052|IA:0073|IA:0051|MN:0020|MI:0008|MI:0045|MN:0055|NOROUTE'
         '|MI:0036|MK:0020|MK:0022|MN:0053|DB:0505|ID:0070|MX:0002|MA:0051|IB:0008|MI:0041'
         '|MI:0064|MI:0057|MI:0056|MI:0098|MN:0019|MI:0030|MI:0023|MI:0002|MB:1026|MK:0055'
         '|MK:0066|IB:0009|MK:0006|MK:0053|MK:0023|MK:0045|MA:0054|MK:0041|MK:0063|ID:0012'
         '|MK:0084|MB:0088|MI00036|MA:0073|MI:0099|MI:0089|MI:0063|MI:0090|DB:0107|IB:0255'
         '|MA:0022|IB:0013|MA:0001|MK:0065|MN:0009|DB:0010|MK:0021|MI:0038|MK:0051|MK:0068'
         '|DB:0106|MI:0048|MK:0056|MK:0057|MK:0088|CA:0054'),
        ('CARRIER_INTERNAL', 'telecom',
         'UNDELIV_870|EXPIRED_612|EXPIRED_614|EXPIRED_618|EXPIRED_613|EXPIRED_617'),
        ('CARRIER_INTERNAL', 'unicom',
         '11|59|23|17|22|90|-74|2|104|8|57|3|14|9|29|106|-1|148|48|63|73|32|40|110|116|21'),
        ('CONTENT_BLOCKED', 'any',
         '-106|TE:0014|TD:0004'),
        ('CONTENT_BLOCKED', 'mobile',
         'TC:0007'),
        ('CONTENT_BLOCKED', 'unicom',
         'LT:0002'),
        ('DELIVERED', 'any',
         'DELIVRD'),
        ('FREQUENCY_LIMIT', 'any',
         'MX:0003|TE:0003'),
        ('FREQUENCY_LIMIT', 'mobile',
         'MB:1042'),
        ('INVALID_NUMBER', 'any',
         'TD:18'),
        ('INVALID_NUMBER', 'mobile',
         'MK:0012|MK:0000|MK:0001|MK00001|MK:0013|MI:0010|ERR_NUM|ERR_NUM_006|XL:169|TA:169'
         '|MK:0003'),
        ('INVALID_NUMBER', 'unicom',
         '1|24|67|61|95|101|72'),
        ('INVALID_OR_OFF', 'any',
         'UNDELIVRD|002'),
        ('INVALID_OR_OFF', 'mobile',
         'MN:0001|MN:0054|MI:0011|MC:0151|MI:0005|MI:0000|MI:0004|MI:0020|MI:0084|MI:0017'
         '|MN:0029|IC:0151|MI:0055|MI:0054|MK:0075|MN:0022|MN:0012|MI:0059|MN:0050'),
        ('INVALID_OR_OFF', 'mobile, telecom, unicom',
         'UNDELIV'),
        ('INVALID_OR_OFF', 'telecom',
         'UNDELIV_701|UNDELIV_802|UNDELIV_801'),
        ('INVALID_OR_OFF', 'unicom',
         '12|10'),
        ('PHONE_OFF', 'mobile',
         'EXPIRED|MI:0013|MI:0024|IC:0001|MI:0029|MK:0004|MK:0011|MK:0024|IB:0064|MC:0055'
         '|MC:0055_006|MC:0055_000|MN:0059|MK:0029|MK:0010|MK:0008|MK:0009|MK:0015|MK:0017'
         '|MI00022|MB:1031|MN0013|MN:0041|MK:0090|MI:0012|MI00000|MI:0052|MI0020'),
        ('PHONE_OFF', 'telecom',
         'UNDELIV_601|EXPIRED_602|UNDELIV_640|UNDELIV_705|EXPIRED_760|EXPIRED_601'
         '|UNDELIV_869|UNDELIV_602|UNDELIV_614|EXPIRED_660|EXPIRED_702|EXPIRED_640'
         '|UNDELIV_702|UNDELIV_815|UNDELIV_771|UNDELIV_711|UNDELIV_627|UNDELIV_814'
         '|UNDELIV_660|UNDELIV_613|UNDELIV_619|UNDELIV_680|UNDELIV_636|UNDELIV_726'
         '|UNDELIV_718|UNDELIV_880|UNDELIV_634|EXPIRED_010|EXPIRED_619|EXPIRED_999'
         '|UNDELIV_001|UNDELIV_620'),
        ('PHONE_OFF', 'unicom',
         '5|93|4|54|15|51|-37|20|55|86|50|79|53|45|89|64|88|98|36|99|43|-43|56|70|219|182'
         '|124|105|213|31'),
        ('REJECTED', 'any',
         'REJECTD'),
        ('REJECTED', 'mobile',
         'MN:0017'),
        ('REJECTED', 'telecom',
         'REJECTD_006|REJECTD_706|EXPIRED_615'),
        ('SERVICE_NOT_ENABLED', 'mobile',
         'MK:0005|MK:0019'),
        ('SERVICE_NOT_ENABLED', 'unicom',
         '13|27|18|44|118|52|75|19'),
        ('UNKNOWN', 'mobile',
         'MC:0001|MK:0036|UNKNOWN'),
        ('UNKNOWN', 'telecom',
         'UNDELIV_999|UNDELIV_713|UNDELIV_615|UNDELIV_765|UNDELIV_899|EXPIRED_001'
         '|UNDELIV_612|UNDELIV_714'),
        ('UNKNOWN', 'unicom',
         '92|255|100|117|164|46|103')
    ) g(kind, carriers, codes)
join (values
        ('DELIVERED', 'the phone has it'),
        ('INVALID_NUMBER', 'no such number'),
        ('INVALID_OR_OFF', 'no such number, or the phone is off or out of reach'),
        ('PHONE_OFF', 'the phone is off, out of reach or full'),
        ('BLACKLIST', 'the number is on a block list of the carrier''s'),
        ('CONTENT_BLOCKED', 'the carrier let the content not pass'),
        ('FREQUENCY_LIMIT', 'the carrier says: too many messages to this number'),
        ('SERVICE_NOT_ENABLED', 'the number takes no SMS: not subscribed, or suspended'),
        ('REJECTED', 'the carrier or the phone refused it'),
        ('CARRIER_INTERNAL', 'a fault within the carrier''s network'),
        ('UNKNOWN', 'the carrier gave no reason that is known')
    ) m(kind, meaning) using (kind)
cross join lateral string_to_table(g.codes, '|') c(code);
